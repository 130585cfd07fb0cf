import { expect, it } from 'vitest';
import { blockList, count, duration, percent } from './words.js';

it('one thing is named in the singular, none and many in the plural', () => {
  expect([0, 1, 2].map((number) => count(number, 'row'))).toEqual(['0 rows', '1 row', '2 rows']);
});

it.each([
  [0, '0 s'],
  [89, '89 s'],
  [90, '2 min'],
  [3600, '60 min'],
  [5400, '1.5 h'],
  [86_400, '24.0 h'],
])('%d seconds are %s', (seconds, words) => expect(duration(seconds)).toBe(words));

it('shares are percentages with a digit after the point', () => {
  expect([0, 0.0833, 1].map(percent)).toEqual(['0.0 %', '8.3 %', '100.0 %']);
});

it('blocks are listed in the order given, none in a word', () => {
  expect(blockList(['mlp 3', 'attention 0'])).toBe('mlp 3, attention 0');
  expect(blockList([])).toBe('none');
});
