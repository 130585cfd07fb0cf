/** Lists of numbers in checkpoints: as base64, since thousands of scales in decimal digits take four times the space. */
import * as v from 'valibot';

/** Little-endian IEEE numbers of 32 bits where these hold the values exactly, else of 64. */
type PackedNumbers = { float32: string } | { float64: string };

const base64 = v.pipe(v.string(), v.base64());

/** A list of numbers as it is, or packed. */
export const numbersSchema = v.pipe(
  v.union([
    v.array(v.number()),
    v.strictObject({ float32: v.pipe(base64, wholeNumbersOf(4)) }),
    v.strictObject({ float64: v.pipe(base64, wholeNumbersOf(8)) }),
  ]),
  v.transform(unpackNumbers),
);

function wholeNumbersOf(size: number) {
  return v.check<string, string>(
    (text) => Buffer.from(text, 'base64').length % size === 0,
    'a list of numbers that is cut off',
  );
}

/** A replacer for JSON.stringify that packs lists of two numbers and more. */
export function packNumbers(_key: string, value: unknown): unknown {
  if (!Array.isArray(value) || value.length < 2) return value;
  if (!value.every((number) => typeof number === 'number')) return value;
  return packed(value);
}

function packed(values: readonly number[]): PackedNumbers {
  const isFloat32 = values.every((value) => Object.is(Math.fround(value), value));
  const size = isFloat32 ? 4 : 8;
  const bytes = Buffer.alloc(values.length * size);
  values.forEach((value, index) =>
    isFloat32 ? bytes.writeFloatLE(value, index * size) : bytes.writeDoubleLE(value, index * size),
  );
  const text = bytes.toString('base64');
  return isFloat32 ? { float32: text } : { float64: text };
}

function unpackNumbers(saved: number[] | PackedNumbers): number[] {
  if (Array.isArray(saved)) return saved;
  if ('float32' in saved) {
    const bytes = Buffer.from(saved.float32, 'base64');
    return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
  }
  const bytes = Buffer.from(saved.float64, 'base64');
  return Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readDoubleLE(index * 8));
}
