import { describe, expect, it } from 'vitest';
import { solvePositive } from './cholesky.js';

describe('equations with a positive definite matrix', () => {
  it.each([1, 4, 7, 30])('of %i rows are solved', (n) => {
    const random = (index: number) => Math.sin(index * 12.9898) % 1;
    const root = Float64Array.from({ length: n * n }, (_, index) => random(index + 1));
    const a = new Float64Array(n * n);
    for (let i = 0; i < n; i += 1)
      for (let j = 0; j < n; j += 1)
        for (let k = 0; k < n; k += 1)
          a[i * n + j]! += root[i * n + k]! * root[j * n + k]! + (i === j && k === 0 ? 0.1 : 0);
    const b = Float64Array.from({ length: 5 * n }, (_, index) => random(index + 500));
    const x = b.slice();
    solvePositive(a.slice(), x, n);
    for (let row = 0; row < 5; row += 1) {
      for (let i = 0; i < n; i += 1) {
        let product = 0;
        for (let k = 0; k < n; k += 1) product += a[i * n + k]! * x[row * n + k]!;
        expect(product).toBeCloseTo(b[row * n + i]!, 8);
      }
    }
  });

  it('that is none are refused', () => {
    expect(() => solvePositive(Float64Array.of(1, 0, 0, -1), Float64Array.of(1, 1), 2)).toThrow(RangeError);
  });
});
