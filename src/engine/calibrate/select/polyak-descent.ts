/**
 * Sign descent with Polyak's step size, for a handful of steps from which much is wanted. All values move by the same
 * amount against the signs of their gradients: as far as, by the slope, what is minimised would fall to its known
 * lowest value. What is near that already is left almost where it is, which a step of fixed size would throw far off.
 * (B. T. Polyak, Introduction to Optimization, 1987, section 5.3, with the 1-norm in the place of the 2-norm.)
 */
import type { ScaleKey } from '../../decoder/scales.js';

/**
 * Moves the values against their gradients, in place.
 * @param excess by how much what is minimised is above its lowest value; nothing moves if it is not
 * @param largestStep the most that a value moves
 */
export function descend(
  values: ReadonlyMap<ScaleKey, Float32Array>,
  gradients: ReadonlyMap<ScaleKey, Float32Array>,
  excess: number,
  largestStep: number,
): void {
  let slope = 0;
  for (const gradient of gradients.values()) for (const entry of gradient) slope += Math.abs(entry);
  // Also where a gradient is not a number: it would spread to all values.
  if (!(slope > 0 && excess > 0)) return;
  const step = Math.min(largestStep, excess / slope);
  for (const [key, gradient] of gradients) {
    const own = values.get(key)!;
    gradient.forEach((entry, index) => (own[index] = own[index]! - step * Math.sign(entry)));
  }
}
