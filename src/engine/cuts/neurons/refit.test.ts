import { describe, expect, it } from 'vitest';
import type { Moments } from './activation-moments.js';
import { choosePull, refitWeight } from './refit.js';

const WIDTH = 4;
const TOKENS = 200;

/** The last neuron is twice the first less the second, and something of its own on top. */
function activations(own: number, seed: number): number[][] {
  return Array.from({ length: TOKENS }, (_, token) => {
    const noise = (at: number) => Math.sin(seed * at + token * (1.7 + at) + token * token * 0.13 * at);
    const [a, b, c] = [noise(1), noise(2), noise(3)];
    return [a, b, c, 2 * a - b + own * noise(4)];
  });
}

function productsOf(rows: readonly number[][]): Float64Array {
  const sum = new Float64Array(WIDTH * WIDTH);
  for (const row of rows) row.forEach((a, i) => row.forEach((b, j) => (sum[i * WIDTH + j]! += a * b)));
  return sum;
}

function momentsOf(own: number): Moments {
  return {
    block: 'mlp 0',
    width: WIDTH,
    learnt: productsOf(activations(own, 1)),
    learntTokens: TOKENS,
    apart: productsOf(activations(own, 500)),
    apartTokens: TOKENS,
  };
}

const weight = Float32Array.of(1, 2, 3, 4, -1, 0.5, 0, 2);
const kept = [0, 1, 2];

describe('the last product fitted anew', () => {
  it('gives what it gave where the others say all of the neuron that goes', () => {
    const fitted = refitWeight({ moments: momentsOf(0), weight, kept }, 1e-9);
    const expected = [1 + 2 * 4, 2 - 4, 3, -1 + 2 * 2, 0.5 - 2, 0];
    fitted.forEach((value, at) => expect(value).toBeCloseTo(expected[at]!, 4));
  });

  it('is pulled to the weights as they are', () => {
    const fitted = refitWeight({ moments: momentsOf(0), weight, kept }, 1e9);
    [1, 2, 3, -1, 0.5, 0].forEach((value, at) => expect(fitted[at]).toBeCloseTo(value, 4));
  });

  it('takes the pull that does best on rows kept apart', () => {
    expect(choosePull({ moments: momentsOf(0), weight, kept })).toBe(0.01);
    const moments = momentsOf(0.2);
    // What was learnt has nothing to do with what is kept apart.
    moments.learnt.set(productsOf(activations(0.2, 1).map(([a, b, c, d]) => [a!, b!, c!, -d!])));
    expect(choosePull({ moments, weight, kept })).toBe(1);
  });
});
