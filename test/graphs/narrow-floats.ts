/**
 * Brings a float32 decoder to 16-bit floats, as converters do: weights, constants, casts, inputs and outputs. Angles of
 * rotary positions stay in float32, since there are no sines of bfloat16.
 */
import { intAttribute, setAttribute } from '../../src/engine/onnx/graph/attributes.js';
import { DataType } from '../../src/engine/onnx/graph/data-types.js';
import { copyModel, type OnnxModel } from '../../src/engine/onnx/file/model-file.js';
import { Graph } from '../../src/engine/onnx/graph/graph.js';
import type {
  GraphProto,
  NodeProto,
  TensorProto,
  ValueInfoProto,
} from '../../src/engine/onnx/file/onnx_pb.js';
import { floatTensor, tensorDims, tensorToFloat32 } from '../../src/engine/onnx/graph/tensor.js';

/** Where float16 ends; masks go further in float32. */
const LARGEST = 65504;

export function narrowFloats(model: OnnxModel, type: DataType.FLOAT16 | DataType.BFLOAT16): OnnxModel {
  const copy = copyModel(model);
  const { graph } = copy;
  const angles = nodesOfAngles(graph);
  graph.initializer = graph.initializer.map((tensor) => narrowed(tensor, type));
  for (const node of graph.node.filter((candidate) => !angles.has(candidate))) {
    for (const { name, t } of node.attribute) if (t) setAttribute(node, name, narrowed(t, type));
    if (node.opType === 'Cast' && intAttribute(node, 'to') === DataType.FLOAT) setAttribute(node, 'to', type);
  }
  for (const value of [...graph.input, ...graph.output]) narrowDeclared(value, type);
  graph.valueInfo = [];
  castWaves(graph, type);
  return copy;
}

const WAVES = new Set(['Cos', 'Sin']);

/** Everything that sines and cosines are computed from. */
function nodesOfAngles(graph: GraphProto): Set<NodeProto> {
  const found = new Set<NodeProto>();
  const producers = new Map(graph.node.flatMap((node) => node.output.map((output) => [output, node])));
  const queue = graph.node.filter(({ opType }) => WAVES.has(opType));
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    queue.push(...node.input.flatMap((input) => producers.get(input) ?? []));
  }
  return found;
}

function castWaves(proto: GraphProto, type: DataType): void {
  const graph = new Graph(proto);
  for (const { output } of graph.nodes.filter(({ opType }) => WAVES.has(opType))) {
    const [cast] = graph.addNode('Cast', [output[0]!], { to: type });
    graph.replaceUses(output[0]!, cast!, (node) => node.output[0] === cast);
  }
  graph.sortNodes();
}

function narrowed(tensor: TensorProto, type: DataType): TensorProto {
  if (tensor.dataType !== DataType.FLOAT) return tensor;
  const values = tensorToFloat32(tensor, undefined).map((value) =>
    Math.min(LARGEST, Math.max(-LARGEST, value)),
  );
  return floatTensor(tensor.name, tensorDims(tensor), values, type);
}

function narrowDeclared(value: ValueInfoProto, type: DataType): void {
  if (value.type?.value.case !== 'tensorType' || value.type.value.value.elemType !== DataType.FLOAT) return;
  value.type.value.value.elemType = type;
}
