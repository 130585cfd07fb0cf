import { expect, test } from 'vitest';
import { closenessWords } from './closeness.js';

// Figures of llama.cpp's table for Llama 3 8B.
test.each([
  [0, 'Q8'],
  [0.001355, 'Q8'],
  [0.005452, 'Q6'],
  [0.010762, 'Q5'],
  [0.031273, 'Q4'],
  [0.07194, 'Q4'],
  [0.101913, 'Q3'],
  [0.445132, 'Q2'],
])('%f nats a token is as far as a file of its own type', (divergence, type) => {
  expect(closenessWords(divergence)).toBe(`as far from the original as a ${type} file usually is`);
});

test('more than any file is said as such', () => {
  expect(closenessWords(2)).toBe('farther from the original than a Q2 file usually is');
});
