import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { finalNumber, isExactMatch, isNumericMatch } from './answers.js';

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
