/** The scale and zero point of a block of weights: w is kept as scale * (code - zero point), with whole codes. */
import { float16ToNumber, numberToFloat16 } from '../../onnx/graph/data-types.js';

/** How codes and scales are kept. */
export interface CodeForm {
  bits: 4 | 8;
  /** Weights a scale. */
  block: number;
  /** Whether scales are float16; else they are float32. */
  halfScales: boolean;
}

/** Whether blocks have zero points of their own; else it is the middle of the codes. */
export function hasZeroPoints({ bits }: Pick<CodeForm, 'bits'>): boolean {
  return bits === 4;
}

export interface BlockCode {
  scale: number;
  zero: number;
}

/** Codes of 4 bits. */
const HIGHEST = 15;

/** How many steps the whole range of a block is tried to have. */
const FIRST_TRIED = 14.6;
const LAST_TRIED = 19.4;
const TRIED_STEP = 0.6;

/**
 * The scale and zero point with the least weighted squared error, found from several first ones by a step of least squares
 * each.
 * @param values weights; those from `start` to `end` are the block's
 * @param importance by which squared errors are weighted, from `first` on
 */
export function blockCode(
  values: Float32Array,
  [start, end]: readonly [number, number],
  importance: Float32Array,
  first: number,
  { bits, halfScales }: CodeForm,
): BlockCode {
  let [low, high] = [0, 0];
  for (let i = start; i < end; i += 1) {
    if (values[i]! < low) low = values[i]!;
    else if (values[i]! > high) high = values[i]!;
  }
  const kept = halfScales ? roundToHalf : Math.fround;
  if (bits === 8) return { scale: kept((high > -low ? high : low) / -128), zero: 128 };
  const best = { scale: 0, zero: 8 };
  if (high === low) return best;
  let most = -1;
  for (let steps = FIRST_TRIED; steps < LAST_TRIED; steps += TRIED_STEP) {
    const inverse = steps / (high - low);
    // The codes that are too few for the range are missing on either side, or on both.
    const lowest = Math.max(0, Math.round(-low * inverse) - Math.ceil(steps - HIGHEST));
    const last = Math.min(HIGHEST, Math.round(-low * inverse));
    for (let zero = Math.min(lowest, last); zero <= last; zero += 1) {
      let product = 0;
      let square = 0;
      for (let i = start; i < end; i += 1) {
        const value = values[i]!;
        const place = value * inverse + zero + 0.5;
        const code = (place < 0 ? 0 : place > HIGHEST ? HIGHEST : place | 0) - zero;
        const weighted = importance[first + i - start]! * code;
        product += weighted * value;
        square += weighted * code;
      }
      // The error with the best scale for these codes is less by product² / square than with none.
      if (square > 0 && product * product > most * square) {
        most = (product * product) / square;
        best.scale = product / square;
        best.zero = zero;
      }
    }
  }
  best.scale = kept(best.scale);
  return best;
}

/** Scales that are 0 in float16 leave nothing of a block but zeros. */
function roundToHalf(value: number): number {
  return float16ToNumber(numberToFloat16(value));
}
