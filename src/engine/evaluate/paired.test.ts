import { describe, expect, it } from 'vitest';
import { exactSignTest, meanEstimate, pairedDifference, ratioEstimate } from './paired.js';

describe("McNemar's exact test", () => {
  // statsmodels.stats.contingency_tables.mcnemar(exact=True).
  it.each([
    [0, 0, 1],
    [3, 0, 0.25],
    [5, 1, 0.21875],
    [10, 4, 0.1795654296875],
    [30, 18, 0.11140289106101878],
    [400, 350, 0.07350777405843484],
  ])('of %i flips one way and %i the other gives %f', (a, b, chance) => {
    expect(exactSignTest(a, b)).toBeCloseTo(chance, 9);
    expect(exactSignTest(b, a)).toBeCloseTo(chance, 9);
  });
});

describe("Newcombe's interval of a paired difference", () => {
  // Worked out in Python from the paper, with scipy's Wilson intervals; 20, 12, 2, 16 is an example of the paper.
  it.each([
    [20, 2, 12, 16, 0.2, 0.056156, 0.329207],
    [36, 2, 12, 0, 0.2, 0.05693, 0.340428],
    [2, 0, 98, 0, 0.98, 0.917793, 0.994498],
    [70, 9, 3, 18, -0.06, -0.131644, 0.010406],
    [30, 0, 0, 0, 0, -0.113513, 0.113513],
    [5, 5, 5, 5, 0, -0.283835, 0.283835],
    [150, 12, 4, 34, -0.04, -0.081747, 0.000482],
  ])(
    'both %i, only the first %i, only the other %i, neither %i',
    (both, onlyFirst, onlyOther, neither, value, low, high) => {
      const estimate = pairedDifference({ both, onlyFirst, onlyOther, neither })!;
      expect(estimate.value).toBeCloseTo(value, 6);
      expect(estimate.low).toBeCloseTo(low, 5);
      expect(estimate.high).toBeCloseTo(high, 5);
    },
  );
});

describe("the mean with Student's interval", () => {
  // scipy.stats.t.interval.
  it.each([
    [[1, 2], -4.853102, 7.853102],
    [[1, 2, 4], -1.46125, 6.127918],
    [[1, 2, 3, 4], 0.44574, 4.55426],
    [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 2.33415, 6.66585],
  ])('of %j', (values, low, high) => {
    const estimate = meanEstimate(values)!;
    expect(Math.abs(estimate.low - low)).toBeLessThan(2e-3 * (high - low));
    expect(Math.abs(estimate.high - high)).toBeLessThan(2e-3 * (high - low));
  });

  it('is that of the logarithms for ratios, and none for a single one', () => {
    const { value, low, high } = ratioEstimate([0.5, 2])!;
    expect(value).toBeCloseTo(1, 12);
    expect(low * high).toBeCloseTo(1, 9);
    expect(ratioEstimate([2])).toBeUndefined();
  });
});
