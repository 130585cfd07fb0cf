import { expect, test } from 'vitest';
import { kneeOf } from './knee.js';

const curve = (...quality: number[]) => quality.map((value, blocks) => ({ blocks, quality: value }));

test('the knee is the last point before skipping becomes dear', () => {
  expect(kneeOf(curve(1, 1, 0.83, 0.77, 0.39, 0.27, 0.08))).toBe(3);
  expect(kneeOf(curve(0.98, 0.98, 0.97, 0.6))).toBe(2);
});

test('flat, straight and short curves have none', () => {
  expect(kneeOf(curve(1, 1, 1, 1))).toBeUndefined();
  expect(kneeOf(curve(1, 0.9, 0.8, 0.7, 0.6))).toBeUndefined();
  expect(kneeOf(curve(1, 1, 0.5))).toBeUndefined();
  expect(kneeOf([])).toBeUndefined();
});

test('a curve that grows live may miss points in the middle', () => {
  const points = [
    { blocks: 0, quality: 1 },
    { blocks: 1, quality: 1 },
    { blocks: 4, quality: 0.95 },
    { blocks: 6, quality: 0.1 },
  ];
  expect(kneeOf(points)).toBe(4);
});
