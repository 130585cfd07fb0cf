import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DataType,
  bfloat16ToNumber,
  byteLength,
  dataTypeName,
  float16ToNumber,
  numberToBfloat16,
  numberToFloat16,
} from './data-types.js';

describe('float16', () => {
  it('survives a round trip for every bit pattern that is a number', () => {
    for (let bits = 0; bits < 0x10000; bits += 1) {
      const value = float16ToNumber(bits);
      if (!Number.isNaN(value)) expect(numberToFloat16(value)).toBe(bits);
    }
  });

  it('rounds to the nearest value', () => {
    fc.assert(
      fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
        const bits = numberToFloat16(value);
        const error = Math.abs(float16ToNumber(bits) - value);
        for (const neighbour of [bits - 1, bits + 1]) {
          if ((neighbour & 0x8000) !== (bits & 0x8000)) continue;
          const other = float16ToNumber(neighbour);
          if (Number.isFinite(other)) expect(error).toBeLessThanOrEqual(Math.abs(other - value));
        }
      }),
    );
  });

  it('turns what is too large into infinity and keeps NaN', () => {
    expect(float16ToNumber(numberToFloat16(1e6))).toBe(Infinity);
    expect(float16ToNumber(numberToFloat16(-1e6))).toBe(-Infinity);
    expect(float16ToNumber(numberToFloat16(NaN))).toBeNaN();
  });
});

describe('bfloat16', () => {
  it('survives a round trip for every bit pattern that is a number', () => {
    for (let bits = 0; bits < 0x10000; bits += 1) {
      const value = bfloat16ToNumber(bits);
      if (!Number.isNaN(value)) expect(numberToBfloat16(value)).toBe(bits);
    }
  });

  it('is within one part in 256 of the number', () => {
    fc.assert(
      fc.property(fc.float({ min: Math.fround(1e-30), max: Math.fround(1e30), noNaN: true }), (value) => {
        expect(Math.abs(bfloat16ToNumber(numberToBfloat16(value)) / value - 1)).toBeLessThanOrEqual(1 / 256);
      }),
    );
  });
});

describe('element types', () => {
  it('packs types under a byte', () => {
    expect(byteLength(DataType.UINT4, 7)).toBe(4);
    expect(byteLength(DataType.INT4, 8)).toBe(4);
    expect(byteLength(DataType.BFLOAT16, 3)).toBe(6);
  });

  it('have readable names', () => {
    expect(dataTypeName(DataType.FLOAT)).toBe('float32');
    expect(dataTypeName(DataType.UINT4)).toBe('uint4');
    expect(dataTypeName(99 as DataType)).toBe('type 99');
  });
});
