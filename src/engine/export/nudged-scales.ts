/** Scales that differ from given ones in their last digits only: what the rounding of a fold may do. */
import { hashToUnit } from '../data/seeded-random.js';
import { initialValue, type ScaleKey, type Scales } from '../decoder/scales.js';

/**
 * @param sizes of all scales; those that are not given are 1, or 0 if they are added
 * @param rounding the largest relative change
 * @param seed other changes for another seed
 */
export function nudgedScales(
  scales: Scales,
  sizes: ReadonlyMap<ScaleKey, number>,
  rounding: number,
  seed: number,
): Map<ScaleKey, Float32Array> {
  return new Map(
    [...sizes].map(([key, size]) => {
      const given = scales.get(key) ?? Float32Array.of(initialValue(key));
      const nudge = (_: unknown, index: number) =>
        given[given.length === 1 ? 0 : index]! *
        (1 + rounding * (2 * hashToUnit(seed, `${key} ${index}`) - 1));
      return [key, Float32Array.from({ length: size }, nudge)];
    }),
  );
}
