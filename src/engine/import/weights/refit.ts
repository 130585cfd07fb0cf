/** Blocks with a float minimum, w = scale * code + minimum, brought to a whole zero point: w = step * (code - zero). */
import type { Codes } from '../blocks/element-type.js';

const HIGHEST = 255;

/**
 * Changes codes and scales in place, to codes of 8 bits. The step is a whole part of the block's scale, the one whose
 * multiples come nearest to the minimum: codes keep their distances exactly, and the block moves by less than a hundredth of
 * its scale in the mean (docs/decisions/030-minima-of-blocks.md).
 * @param levels codes are below
 * @returns the zero point of each block
 */
export function refit({ block, codes, scales, minima }: Codes, levels: number): Uint8Array {
  const zeros = new Uint8Array(scales.length);
  for (let b = 0; b < scales.length; b += 1) {
    const from = b * block;
    const minimum = minima![b]!;
    const fraction = nearestFraction(scales[b]!, minimum, levels - 1);
    if (!fraction) {
      zeros[b] = overRange(codes, from, from + block, scales, b, minimum);
      continue;
    }
    const { parts, multiple } = fraction;
    const lowest = Math.max(0, -multiple);
    for (let i = from; i < from + block; i += 1) codes[i] = codes[i]! * parts + lowest;
    scales[b]! /= parts;
    zeros[b] = lowest + multiple;
  }
  return zeros;
}

/** The number of parts of a scale, and how many of them the minimum is below 0; undefined where none fits into 8 bits. */
function nearestFraction(
  scale: number,
  minimum: number,
  highest: number,
): { parts: number; multiple: number } | undefined {
  if (scale === 0) return undefined;
  const below = -minimum / scale;
  let best: { parts: number; multiple: number } | undefined;
  let least = Infinity;
  for (let parts = 1; parts * highest <= HIGHEST; parts += 1) {
    const multiple = Math.round(below * parts);
    if (multiple > HIGHEST || parts * highest - multiple > HIGHEST) continue;
    const distance = Math.abs(below - multiple / parts);
    if (distance >= least) continue;
    least = distance;
    best = { parts, multiple };
  }
  return best;
}

/** The nearest codes over the range from the least to the largest weight and 0. */
function overRange(
  codes: Uint8Array,
  from: number,
  to: number,
  scales: Float32Array,
  index: number,
  minimum: number,
): number {
  const scale = scales[index]!;
  let [low, high] = [0, 0];
  for (let i = from; i < to; i += 1) {
    const value = scale * codes[i]! + minimum;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const step = (high - low) / HIGHEST;
  const zero = step === 0 ? 0 : Math.round(-low / step);
  for (let i = from; i < to; i += 1) {
    const code = step === 0 ? 0 : Math.round((scale * codes[i]! + minimum) / step) + zero;
    codes[i] = Math.min(HIGHEST, Math.max(0, code));
  }
  scales[index] = step;
  return zero;
}
