/** Whether the tensors of a file say things that can be: what is read later relies on it. */
import { UserError } from '../../../schema/errors.js';
import { subgraphs } from '../graph/attributes.js';
import { DataType } from '../graph/data-types.js';
import { elementCount, tensorByteLength, tensorDims } from '../graph/tensor.js';
import { isExternal } from './external-data.js';
import type { GraphProto, NodeProto, TensorProto } from './onnx_pb.js';

/** Bytes that no tensor has: sizes beyond cannot even be counted. */
const LARGEST = 2 ** 46;

/**
 * @param source the file, for the message
 * @throws UserError for an element type that there is not, impossible sizes, or weights of another length than their sizes
 */
export function requireSoundTensors(graph: GraphProto, source: string): void {
  for (const tensor of graph.initializer) requireSound(tensor, tensor.name, source);
  for (const node of graph.node) {
    for (const tensor of tensorsOf(node))
      requireSound(tensor, tensor.name || node.output[0] || node.name, source);
    for (const inner of subgraphs(node)) requireSoundTensors(inner, source);
  }
}

function tensorsOf(node: NodeProto): TensorProto[] {
  return node.attribute.flatMap(({ t, tensors }) => (t ? [t, ...tensors] : tensors));
}

function requireSound(tensor: TensorProto, name: string, source: string): void {
  const wrong = problemOf(tensor);
  if (wrong !== undefined)
    throw new UserError(
      `The tensor '${name}' of ${source} ${wrong}; the file is damaged, download or export it again.`,
    );
}

function problemOf(tensor: TensorProto): string | undefined {
  const { dataType, rawData } = tensor;
  if (!(dataType in DataType) || dataType === DataType.UNDEFINED)
    return `has the element type ${dataType}, which there is not`;
  const dims = tensorDims(tensor);
  const isPossible = dims.every((size) => size >= 0) && elementCount(dims) < LARGEST;
  if (!isPossible) return `has the impossible sizes [${dims.join(', ')}]`;
  if (dataType === DataType.STRING || isExternal(tensor) || rawData.length === 0) return undefined;
  const needed = tensorByteLength(tensor);
  return rawData.length === needed
    ? undefined
    : `has ${rawData.length} bytes of data where its sizes [${dims.join(', ')}] need ${needed}`;
}
