/** How large a model becomes by its cuts, foreseen from what its weights are: no file is read, nothing is run. */
import type { DecoderDescription } from './blocks.js';
import type { Precision } from './cuts.js';

/** Cuts and how far each goes. */
export interface CutSizes {
  /** Share of the tokens that stay; absent: all. */
  keptTokens?: number;
  /** Share of the MLPs' neurons that are removed. */
  neurons?: number;
  precision?: Precision;
  /** Blocks that are skipped. */
  attention?: number;
  mlp?: number;
}

/** Weights that share a scale in files of 4 and 8 bits. */
const BLOCK = 32;
const SCALE_BYTES: Readonly<Record<Precision, number>> = { fp16: 0, int8: 4, q4: 4, q4f16: 2 };
const CODE_BYTES: Readonly<Record<Precision, number>> = { fp16: 2, int8: 1, q4: 0.5, q4f16: 0.5 };

/**
 * Bytes of the weights with these cuts. Weights that are fewer bits already than a precision asks for stay as they are.
 * Of what neither attention nor MLP holds, all counts as the vocabulary's: tables of positions are small beside it.
 */
export function bytesWithCuts(description: DecoderDescription, cuts: CutSizes): number {
  const { neurons = 0, keptTokens = 1, precision } = cuts;
  const parts = { attention: 0, convolution: 0, mlp: 0 };
  const blocks = { attention: 0, convolution: 0, mlp: 0 };
  let parameters = 0;
  for (const block of description.blocks) {
    parts[block.kind] += block.bytes;
    blocks[block.kind] += 1;
    parameters += block.parameters;
  }
  const { total } = description;
  const stays = (kind: 'attention' | 'mlp') =>
    blocks[kind] === 0 ? 0 : 1 - Math.min(blocks[kind], cuts[kind] ?? 0) / blocks[kind];
  const ofBlocks =
    parts.attention * stays('attention') + parts.convolution + parts.mlp * stays('mlp') * (1 - neurons);
  const allBlocks = parts.attention + parts.convolution + parts.mlp;
  const table = total.bytes - allBlocks;
  const tableParameters = Math.max(1, total.parameters - parameters);
  return (
    ofBlocks * shrinkage(allBlocks / Math.max(1, parameters), precision) +
    table * keptTokens * shrinkage(table / tableParameters, precision)
  );
}

/** What is left of weights of so many bytes each. */
function shrinkage(bytesEach: number, precision: Precision | undefined): number {
  if (precision === undefined || bytesEach < 1) return 1;
  const after = CODE_BYTES[precision] + SCALE_BYTES[precision] / BLOCK;
  return Math.min(1, after / bytesEach);
}
