import { describe, expect, it } from 'vitest';
import { LogitsComparer } from './compare-logits.js';

const labels = Int32Array.of(0, 1);
const expected = Float32Array.of(2, 0, -2, 1, 3, -4);

function compare(actual: Float32Array) {
  const comparer = new LogitsComparer();
  comparer.add(expected, actual, labels);
  return comparer.result;
}

describe('the comparison of logits', () => {
  it('finds none between equal ones', () => {
    const spread = Math.sqrt((8 + 26) / 6);
    expect(compare(expected)).toMatchObject({
      positions: 2,
      largestDifference: 0,
      largestLogit: 4,
      spread: expect.closeTo(spread, 6),
      divergence: 0,
      lossChange: 0,
      lossError: 0,
    });
  });

  it('counts what is added to all logits of a position as a difference, but not of distribution or loss', () => {
    const result = compare(expected.map((logit) => logit + 0.5));
    expect(result.largestDifference).toBe(0.5);
    expect(result.divergence).toBeCloseTo(0, 6);
    expect(result.lossChange).toBeCloseTo(0, 6);
  });

  it('gives the mean change of the loss, and its error by chance', () => {
    // The first token's probability becomes one, the second's a third.
    const result = compare(Float32Array.of(100, 0, 0, 0, 0, 0));
    const before = [2, 3].map((logit, row) => {
      const own = expected.subarray(3 * row, 3 * row + 3);
      return Math.log(own.reduce((sum, value) => sum + Math.exp(value), 0)) - logit;
    });
    const changes = [0 - before[0]!, Math.log(3) - before[1]!];
    expect(result.lossChange).toBeCloseTo((changes[0]! + changes[1]!) / 2, 5);
    expect(result.lossError).toBeCloseTo(Math.hypot(...changes) / 2, 5);
  });

  it('is infinite where a logit is not a number', () => {
    expect(compare(expected.map((logit, index) => (index === 4 ? NaN : logit))).largestDifference).toBe(
      Infinity,
    );
  });
});
