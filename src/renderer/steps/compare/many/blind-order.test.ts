import { expect, test } from 'vitest';
import type { ComparedRow } from '../../../../schema/comparison.js';
import { blindPairs } from './blind-order.js';

const answer = (same?: boolean) => ({ text: 'x', tokens: 1, seconds: 1, cut: false, same });
const rows = Array.from({ length: 200 }, (_, index): ComparedRow => ({
  index,
  line: index + 1,
  prompt: `Prompt ${index}`,
  answers: [answer(), answer(index % 4 === 0)],
}));

test('only what differs and is not voted on comes, in an order and on sides drawn by lot, the same for the same seed', () => {
  const votes = [{ prompt: 1, model: 1, preferred: 'first' as const }];
  const { pairs, voted } = blindPairs(rows, 1, votes, 'a');
  expect([pairs.length, voted]).toEqual([149, 1]);
  expect(blindPairs(rows, 1, votes, 'a').pairs).toEqual(pairs);
  expect(blindPairs(rows, 1, votes, 'b').pairs).not.toEqual(pairs);
  const indexes = pairs.map(({ row }) => row.index);
  expect(indexes).not.toEqual(indexes.toSorted((a, b) => a - b));
  const onA = pairs.filter(({ firstIsA }) => firstIsA).length;
  expect(onA).toBeGreaterThan(50);
  expect(onA).toBeLessThan(99);
});
