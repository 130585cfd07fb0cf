import { expect, test } from 'vitest';
import { keepLast } from './keep-last.js';

test('the same arguments give the same result, others a new one', () => {
  const pairOf = keepLast((first: unknown, second?: unknown) => [first, second]);
  const one = {};
  const result = pairOf(one, Number.NaN);
  expect(pairOf(one, Number.NaN)).toBe(result);
  expect(pairOf({}, Number.NaN)).not.toBe(result);
  expect(pairOf(one)).toEqual([one, undefined]);
});
