import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { descend } from './polyak-descent.js';
import type { ScaleKey } from '../../decoder/scales.js';

const KEY: ScaleKey = 'block attention 0';
const entry = fc.double({ min: -100, max: 100, noNaN: true }).map(Math.fround);

function moved(gradient: number[], excess: number, largestStep: number): number[] {
  const values = new Map([[KEY, new Float32Array(gradient.length)]]);
  descend(values, new Map([[KEY, Float32Array.from(gradient)]]), excess, largestStep);
  return Array.from(values.get(KEY)!);
}

describe("sign descent with Polyak's step size", () => {
  it('goes as far as the slope says that the lowest value is, and no value further than the largest step', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { minLength: 1, maxLength: 8 }),
        fc.double({ min: 1e-3, max: 10, noNaN: true }),
        fc.double({ min: 1e-3, max: 1, noNaN: true }),
        (gradient, excess, largestStep) => {
          const fall = -moved(gradient, excess, largestStep).reduce(
            (sum, change, index) => sum + change * gradient[index]!,
            0,
          );
          const slope = gradient.reduce((sum, value) => sum + Math.abs(value), 0);
          const expected = slope > 0 ? Math.min(excess, largestStep * slope) : 0;
          expect(Math.abs(fall - expected)).toBeLessThanOrEqual(1e-5 * Math.max(1, expected));
        },
      ),
    );
  });

  it('leaves alone what is at its lowest value or below', () => {
    expect(moved([1, -2], 0, 0.1)).toEqual([0, 0]);
    expect(moved([1, -2], -0.5, 0.1)).toEqual([0, 0]);
  });

  it('leaves all values alone if a gradient or the excess is no number', () => {
    expect(moved([1, NaN], 1, 0.1)).toEqual([0, 0]);
    expect(moved([1, 2], NaN, 0.1)).toEqual([0, 0]);
  });
});
