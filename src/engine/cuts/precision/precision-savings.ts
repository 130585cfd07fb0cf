/** What a precision saves, from the model's weights alone. */
import type { Precision } from '../../../schema/cuts.js';
import type { Decoder } from '../../decoder/decoder.js';
import { initializersOf } from '../../onnx/file/model-file.js';
import { DataType, elementBits } from '../../onnx/graph/data-types.js';
import { tensorByteLength } from '../../onnx/graph/tensor.js';
import { PRECISION_FACTS, blockOf, changesActivations } from './precision.js';
import { hasZeroPoints } from './round-block.js';
import type { RowsOfWeight } from './weight-rows.js';
import { weightsOf } from './weights.js';

/**
 * Bytes that the model's files become less, nearly; negative where they grow. An embedding that is written a second time as
 * the head is reckoned twice, though it may be found to be the same.
 */
export function precisionSavings(decoder: Decoder, precision: Precision): number {
  const { bits, activations } = PRECISION_FACTS[precision];
  const { products, table } = weightsOf(decoder);
  const weights = [...products, ...(table ? [table] : [])].map(({ weight }) => weight);
  const byName = new Map(weights.map((weight) => [weight.name, weight]));
  let saved = 0;
  const inCodes = new Set<string>();
  for (const weight of byName.values()) {
    if (bits === undefined || weight.bits <= bits) continue;
    inCodes.add(weight.name);
    saved += weight.bytes - packedBytes(weight, bits, elementBits(activations) / 8);
  }
  if (activations !== DataType.FLOAT16 || !changesActivations(decoder, precision)) return saved;
  for (const tensor of initializersOf(decoder.model.graph))
    if (tensor.dataType === DataType.FLOAT && !inCodes.has(tensor.name))
      saved += tensorByteLength(tensor) / 2;
  return saved;
}

function packedBytes({ rows, columns }: RowsOfWeight, bits: 4 | 8, scaleBytes: number): number {
  const block = blockOf(columns);
  const blocks = Math.ceil(columns / block);
  const zeros = hasZeroPoints({ bits }) ? Math.ceil((blocks * bits) / 8) : 0;
  return rows * (blocks * ((block * bits) / 8 + scaleBytes) + zeros);
}
