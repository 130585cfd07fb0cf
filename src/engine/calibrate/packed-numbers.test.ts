import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { numbersSchema, packNumbers } from './packed-numbers.js';

const through = (values: number[]) => v.parse(numbersSchema, JSON.parse(JSON.stringify(values, packNumbers)));

describe('packed numbers', () => {
  it.each([
    ['float32', fc.float({ noNaN: true, noDefaultInfinity: true })],
    ['float64', fc.double({ noNaN: true, noDefaultInfinity: true })],
  ])('come back to the bit (%s)', (_, number) => {
    fc.assert(
      fc.property(fc.array(number, { minLength: 2 }), (values) => {
        expect(through(values)).toEqual(values);
      }),
    );
  });

  it('take a fraction of the digits', () => {
    const values = Array.from({ length: 1000 }, (_, index) => Math.fround(1 + Math.sin(index) / 10));
    const size = JSON.stringify(values, packNumbers).length;
    expect(size).toBeLessThan(JSON.stringify(values).length / 3);
  });

  it.each([{ float32: 'AAAAAAA=' }, { float32: '!' }, { float64: 'AAAAAA==' }, { float16: 'AAA=' }])(
    'are refused when damaged: %j',
    (damaged) => {
      expect(v.safeParse(numbersSchema, damaged).success).toBe(false);
    },
  );
});
