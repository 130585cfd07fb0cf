/**
 * onnxruntime's kernels for the CPU know no bfloat16, but for moving and casting. A model of bfloat16 is run in float32
 * there, which holds every bfloat16 number; its file stays what it is.
 */
import { widenFloats } from '../onnx/graph/widen-floats.js';
import { subgraphs, tensorAttribute } from '../onnx/graph/attributes.js';
import { DataType } from '../onnx/graph/data-types.js';
import { Graph } from '../onnx/graph/graph.js';
import { copyModel, initializersOf, type OnnxModel } from '../onnx/file/model-file.js';
import type { GraphProto } from '../onnx/file/onnx_pb.js';
import { changeDeclaredType, declaredType } from '../onnx/graph/value-info.js';

export function holdsBfloat16({ graph }: OnnxModel): boolean {
  return (
    initializersOf(graph).some(({ dataType }) => dataType === DataType.BFLOAT16) ||
    [...graph.input, ...graph.output].some((value) => isBfloat16(declaredType(value))) ||
    constantsHold(graph)
  );
}

/** A copy in float32, the cache's inputs and outputs included; the model itself if it holds no bfloat16. */
export function withoutBfloat16(model: OnnxModel): OnnxModel {
  if (!holdsBfloat16(model)) return model;
  const copy = copyModel(model);
  for (const input of copy.graph.input) changeDeclaredType(input, isBfloat16, DataType.FLOAT);
  widenFloats(new Graph(copy.graph));
  return copy;
}

function isBfloat16(type: DataType | undefined): boolean {
  return type === DataType.BFLOAT16;
}

function constantsHold(graph: GraphProto): boolean {
  return graph.node.some(
    (node) =>
      tensorAttribute(node, 'value')?.dataType === DataType.BFLOAT16 || subgraphs(node).some(constantsHold),
  );
}
