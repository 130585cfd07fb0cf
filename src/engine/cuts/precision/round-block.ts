/** The scale of a block of weights: w is kept as scale * code, with whole codes around 0. */
import { float16ToNumber, numberToFloat16 } from '../../onnx/graph/data-types.js';

/** How codes and scales are kept. */
export interface CodeForm {
  bits: 4 | 8;
  /** Weights a scale. */
  block: number;
  /** Whether scales are float16; else they are float32. */
  halfScales: boolean;
}

/** Scales that are tried: the largest weight in steps, for codes of 4 bits. */
const FIRST_TRIED = -9.2;
const LAST_TRIED = -6.4;
const TRIED_STEP = 0.2;

/**
 * The scale with the least weighted squared error, found from several first ones by a step of least squares each. It may be
 * negative: there is a code more below 0 than above, which the largest weight takes.
 * @param values weights; those from `start` to `end` are the block's
 * @param importance by which squared errors are weighted, from `first` on
 */
export function blockScale(
  values: Float32Array,
  [start, end]: readonly [number, number],
  importance: Float32Array,
  first: number,
  { bits, halfScales }: CodeForm,
): number {
  let largest = 0;
  for (let i = start; i < end; i += 1) if (Math.abs(values[i]!) > Math.abs(largest)) largest = values[i]!;
  if (largest === 0) return 0;
  const middle = 2 ** (bits - 1);
  const kept = halfScales ? roundToHalf : Math.fround;
  if (bits === 8) return kept(largest / -middle);
  const highest = 2 * middle - 1;
  let best = 0;
  let most = -1;
  for (let steps = FIRST_TRIED; steps < LAST_TRIED; steps += TRIED_STEP) {
    const inverse = steps / largest;
    let product = 0;
    let square = 0;
    for (let i = start; i < end; i += 1) {
      const value = values[i]!;
      const place = value * inverse + middle + 0.5;
      const code = (place < 0 ? 0 : place > highest ? highest : place | 0) - middle;
      const weighted = importance[first + i - start]! * code;
      product += weighted * value;
      square += weighted * code;
    }
    // The error with the best scale for these codes is less by product² / square than with none.
    if (square > 0 && product * product > most * square) {
      most = (product * product) / square;
      best = product / square;
    }
  }
  return kept(most < 0 ? largest / -middle : best);
}

/** Scales that are 0 in float16 leave nothing of a block but zeros. */
function roundToHalf(value: number): number {
  return float16ToNumber(numberToFloat16(value));
}
