/** Blocks that are tried without: gated off by their scales, which then stay as they are. */
import type { BlockName } from '../../../schema/blocks.js';
import { sharesResidual, type Decoder } from '../../decoder/decoder.js';
import type { ScaleKey } from '../../decoder/scales.js';

type Vectors = Map<ScaleKey, Float32Array>;

/** A skipped block passes its residual through, unless another block shares the residual addition. */
export function switchOff(decoder: Decoder, scales: Vectors, block: BlockName): void {
  scales.get(`block ${block}`)!.fill(0);
  if (!sharesResidual(decoder, block)) scales.get(`residual ${block}`)!.fill(1);
}

/** Takes away the gradients by which scales of these blocks would move. */
export function keepOff(decoder: Decoder, gradients: Vectors, off: readonly BlockName[]): void {
  for (const block of off) {
    gradients.delete(`block ${block}`);
    if (!sharesResidual(decoder, block)) gradients.delete(`residual ${block}`);
  }
}
