/** A graph of 16-bit floats brought to float32, for the gradient graph. Weights stay as they are in the file. */
import { intAttribute, setAttribute, subgraphs } from './attributes.js';
import { DataType } from './data-types.js';
import type { Graph } from './graph.js';
import { Operators } from './operators.js';
import type { GraphProto, NodeProto, TensorProto } from '../file/onnx_pb.js';
import { floatTensor, tensorDims, tensorToFloat32 } from './tensor.js';
import { changeDeclaredType, declaredType } from './value-info.js';

export function isNarrow(type: DataType | undefined): boolean {
  return type === DataType.FLOAT16 || type === DataType.BFLOAT16;
}

/**
 * Puts a Cast behind each weight and input of 16-bit floats (onnxruntime casts weights once, when it loads the graph) and
 * makes everything else float32. Graph outputs become float32 too, but for those that are inputs.
 */
export function widenFloats(graph: Graph): void {
  const { proto } = graph;
  const narrow = [
    ...proto.initializer.filter((tensor) => isNarrow(tensor.dataType)).map((tensor) => tensor.name),
    ...graph.inputs.filter((input) => isNarrow(declaredType(input))).map((input) => input.name),
  ];
  widenNodes(proto);
  const op = new Operators(graph, 'widened');
  for (const name of narrow) {
    op.enter(name);
    const wide = op.cast(name, DataType.FLOAT);
    graph.replaceUses(name, wide, (node) => node.output[0] === wide);
  }
  for (const output of proto.output) changeDeclaredType(output, isNarrow, DataType.FLOAT);
  proto.valueInfo = [];
  graph.sortNodes();
}

function widenNodes(proto: GraphProto): void {
  for (const node of proto.node) {
    for (const inner of subgraphs(node)) {
      inner.initializer = inner.initializer.map(widened);
      inner.valueInfo = [];
      for (const output of inner.output) changeDeclaredType(output, isNarrow, DataType.FLOAT);
      widenNodes(inner);
    }
    widenAttributes(node);
  }
}

function widenAttributes(node: NodeProto): void {
  for (const { name, t } of node.attribute) {
    if (t && isNarrow(t.dataType)) setAttribute(node, name, widened(t));
  }
  for (const name of ['to', 'dtype', 'output_dtype']) {
    if (isNarrow(intAttribute(node, name))) setAttribute(node, name, DataType.FLOAT);
  }
}

function widened(tensor: TensorProto): TensorProto {
  if (!isNarrow(tensor.dataType)) return tensor;
  return floatTensor(tensor.name, tensorDims(tensor), tensorToFloat32(tensor, undefined));
}
