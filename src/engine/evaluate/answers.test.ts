import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { disagreement, finalNumber, isExactMatch, isNumericMatch, isRight, lastNumber } from './answers.js';

describe('an exact match', () => {
  it('looks past space around and runs of it within, at nothing else', () => {
    expect(isExactMatch(' 1 +\n 2 = 3 ', '1 + 2 = 3')).toBe(true);
    expect(isExactMatch('1 + 2 = 3.', '1 + 2 = 3')).toBe(false);
    expect(isExactMatch('Yes', 'yes')).toBe(false);
  });
});

describe('the number after ####', () => {
  it.each([
    ['14 - 3 = 11. #### 11', 11],
    ['#### 1,234,567', 1_234_567],
    ['#### $18', 18],
    ['#### -5', -5],
    ['#### -$5', -5],
    ['#### $-5', -5],
    ['#### .5', 0.5],
    ['#### 3.50', 3.5],
    ['####7', 7],
    ['#### 72.', 72],
    ['#### 20%', 20],
    ['#### **18**', 18],
    ['#### 5 and then #### 8', 8],
    ['#### 12 apples', 12],
  ])('of %j is %d', (answer, expected) => {
    expect(finalNumber(answer)).toBe(expected);
  });

  it.each(['11', '', '####', '#### none', '11 ####', '#### none, but 3 of them'])(
    'of %j is none',
    (answer) => {
      expect(finalNumber(answer)).toBeUndefined();
    },
  );

  it('is found whatever number was written, with or without separators', () => {
    const number = fc.integer({ min: -999_999_999, max: 999_999_999 });
    fc.assert(
      fc.property(fc.string(), number, fc.boolean(), (reasoning, value, separators) => {
        const text = separators ? value.toLocaleString('en-US') : String(value);
        expect(finalNumber(`${reasoning} #### ${text}`)).toBe(value);
      }),
    );
  });

  it('matches when the values are the same, however they are written; nothing matches a missing number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 0, max: 1e6 }), (one, other) => {
        const written = (value: number) => `#### ${value.toLocaleString('en-US')}.00`;
        expect(isNumericMatch(written(one), `#### ${other}`)).toBe(one === other);
        expect(isNumericMatch(String(one), `#### ${one}`)).toBe(false);
        expect(isNumericMatch(written(one), 'no number')).toBeUndefined();
      }),
    );
  });
});

describe('the last number', () => {
  it.each([
    ['She has 58 + 17 = 75 keys.', 75],
    ['The total is $1,234.50.', 1234.5],
    ['About -3.5 degrees', -3.5],
    ['9, 10, 11', 11],
    ['Call it B2 or x86', undefined],
    ['1.5, then .5', 0.5],
    ['none', undefined],
  ])('of %j is %s', (text, expected) => {
    expect(lastNumber(text)).toBe(expected);
  });
});

describe('a right answer', () => {
  it.each([
    ['58 + 17 = 75. #### 75', 'some way. #### 75', true],
    ['So there are 75 of them', '#### 75', true],
    ['The answer is 75.', '75', true],
    ['It is 1200 dollars', '$1,200', true],
    ['75 or 76', '75', false],
    ['Paris', 'Paris', true],
    ['It is Paris', 'Paris', false],
    ['In 1912 it sank', 'It sank in 1912', false],
  ])('%j where %j is expected: %s', (answer, expected, right) => {
    expect(isRight(answer, expected)).toBe(right);
  });
});

it('disagreement is the share of words that only one has', () => {
  expect(disagreement('a b  c', ' a b c')).toBe(0);
  expect(disagreement('a b', 'c d')).toBe(1);
  expect(disagreement('a b c d', 'a b c e')).toBeCloseTo(0.25, 12);
  expect(disagreement('a b', 'b a')).toBeGreaterThan(0);
  expect(disagreement('', 'a')).toBe(1);
});
