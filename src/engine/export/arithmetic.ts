/** In which numbers a decoder computes, whatever its inputs and logits are declared to be. */
import type { Decoder } from '../decoder/decoder.js';
import { DataType } from '../onnx/graph/data-types.js';
import { initializersOf } from '../onnx/file/model-file.js';
import { elementCount, tensorDims } from '../onnx/graph/tensor.js';

export type Arithmetic = 'float32' | 'float16' | 'bfloat16';

/** The narrowest type of any of its vectors and matrices: what scales are folded into is rounded to it. */
export function arithmeticOf({ graph, streamType }: Decoder): Arithmetic {
  const constants = graph.nodes
    .filter(({ opType }) => opType === 'Constant')
    .flatMap((node) => graph.constant(node.output[0]!) ?? []);
  const types = new Set<DataType>([streamType]);
  for (const tensor of [...initializersOf(graph.proto), ...constants])
    if (elementCount(tensorDims(tensor)) > 1) types.add(tensor.dataType);
  if (types.has(DataType.BFLOAT16)) return 'bfloat16';
  return types.has(DataType.FLOAT16) ? 'float16' : 'float32';
}

/** Relative changes in the last digits of a number. */
export const LAST_DIGITS: Readonly<Record<Arithmetic, number>> = {
  float32: 2 ** -20,
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
};
