/** The precisions that a model can be brought to: bits of its weights, type of its activations. */
import type { Precision } from '../../../schema/cuts.js';
import type { Decoder } from '../../decoder/decoder.js';
import { DataType } from '../../onnx/graph/data-types.js';

export interface PrecisionFacts {
  /** Of products' weights and the embedding in codes; undefined where these are floats. */
  bits: 4 | 8 | undefined;
  /** Of activations, KV cache, logits and the scales of codes. */
  activations: DataType.FLOAT | DataType.FLOAT16;
}

export const PRECISION_FACTS: Readonly<Record<Precision, PrecisionFacts>> = {
  fp16: { bits: undefined, activations: DataType.FLOAT16 },
  int8: { bits: 8, activations: DataType.FLOAT },
  q4: { bits: 4, activations: DataType.FLOAT },
  q4f16: { bits: 4, activations: DataType.FLOAT16 },
};

/** Inputs a scale. Where a row is no multiple of it, half of that may be. */
const BLOCK = 32;

/** The block for rows of that many inputs; the last one of a row is filled up with zeros where none fits. */
export function blockOf(columns: number): number {
  return columns % BLOCK !== 0 && columns % (BLOCK / 2) === 0 ? BLOCK / 2 : BLOCK;
}

/** Whether the computation's type is another than the precision's. */
export function changesActivations({ streamType }: Decoder, precision: Precision): boolean {
  return streamType !== PRECISION_FACTS[precision].activations;
}
