import { describe, expect, it } from 'vitest';
import { shareEstimate, tokenMeanEstimate } from './intervals.js';

describe("Wilson's interval of a share", () => {
  // (p + z²/2n ± z sqrt(p(1 - p)/n + z²/4n²)) / (1 + z²/n), worked out in Python.
  it.each([
    [8, 10, 0.490162, 0.943318],
    [98, 100, 0.929988, 0.994498],
    [0, 20, 0, 0.161125],
    [5, 5, 0.565518, 1],
  ])('of %i in %i goes from %f to %f', (hits, total, low, high) => {
    const estimate = shareEstimate(hits, total);
    expect(estimate.value).toBe(hits / total);
    expect(estimate.low).toBeCloseTo(low, 5);
    expect(estimate.high).toBeCloseTo(high, 5);
  });
});

describe('the mean over tokens', () => {
  it('is that of a sample where each row is one token', () => {
    // Mean 2.5, standard deviation sqrt(5 / 3), standard error sqrt(5 / 12).
    const { value, low, high } = tokenMeanEstimate([1, 2, 3, 4], [1, 1, 1, 1]);
    expect(value).toBe(2.5);
    expect(high - value).toBeCloseTo(1.959964 * Math.sqrt(5 / 12), 5);
    expect(value - low).toBeCloseTo(high - value, 12);
  });

  it('weighs rows by their tokens, and takes rows, not tokens, as independent', () => {
    // Ten tokens of 1 in one row, two of 4 in the other: deviations -5 and 5 from 1.5 a token.
    const { value, high } = tokenMeanEstimate([10, 8], [10, 2]);
    expect(value).toBe(1.5);
    expect(high - value).toBeCloseTo((1.959964 * Math.sqrt(2 * (5 ** 2 + 5 ** 2))) / 12, 5);
  });

  it('promises nothing from a single row', () => {
    expect(tokenMeanEstimate([3], [2])).toEqual({ value: 1.5, low: -Infinity, high: Infinity });
  });
});
