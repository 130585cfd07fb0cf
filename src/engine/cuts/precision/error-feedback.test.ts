import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomNumber } from '../../../../test/support/random-scales.js';
import { feedbackOf, type Feedback } from './error-feedback.js';
import { Multiplier } from './multiplier.js';

let multiplier: Multiplier;
beforeAll(async () => {
  multiplier = await Multiplier.open();
});
afterAll(async () => {
  await multiplier.release();
});

/** The mean of x x' over made-up tokens. */
function momentsOf(columns: number): Float32Array {
  const tokens = 2 * columns;
  const moments = new Float64Array(columns * columns);
  for (let token = 0; token < tokens; token += 1) {
    const x = Array.from(
      { length: columns },
      (_, column) => randomNumber(`x ${token}`, column) + 0.5 * randomNumber(`shared ${token}`, 0),
    );
    for (let i = 0; i < columns; i += 1)
      for (let j = 0; j < columns; j += 1) moments[i * columns + j]! += (x[i]! * x[j]!) / tokens;
  }
  return Float32Array.from(moments);
}

/** U, put together from the shares and costs of one block as wide as the matrix. */
function factorOf({ shares, costs }: Feedback, columns: number): number[][] {
  return Array.from({ length: columns }, (_, j) =>
    Array.from({ length: columns }, (__, k) => {
      const own = 1 / Math.sqrt(costs[j]!);
      return k < j ? 0 : k === j ? own : shares[0]![j * columns + k]! * own;
    }),
  );
}

describe('what errors are made up for with', () => {
  // Small matrices are inverted by loops, larger ones by halves, of which the last is an odd one.
  it.each([24, 101, 192])('is a factor of the inverse of the moments of %i inputs', async (columns) => {
    const moments = momentsOf(columns);
    const factor = factorOf(
      await feedbackOf({ columns, group: columns, moments }, columns, multiplier),
      columns,
    );
    const trace = Array.from({ length: columns }, (_, i) => moments[i * columns + i]!).reduce(
      (a, b) => a + b,
    );
    const dampened = (i: number, j: number) =>
      moments[i * columns + j]! + (i === j ? (0.01 * trace) / columns : 0);
    /** H U' U */
    for (let i = 0; i < columns; i += 7) {
      const left = factor.map((row) => row.reduce((sum, value, k) => sum + value * dampened(i, k), 0));
      for (let j = 0; j < columns; j += 1) {
        const product = factor.reduce((sum, row, k) => sum + left[k]! * row[j]!, 0);
        expect(product).toBeCloseTo(i === j ? 1 : 0, 4);
      }
    }
  });
});
