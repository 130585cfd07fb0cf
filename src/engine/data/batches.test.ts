import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeBatches } from './batches.js';
import { contentHash, hashRows, promptHash } from './content-hash.js';
import type { EncodedRow } from './encoded-row.js';
import { summarise } from './summary.js';

const row = (length: number, line = 1): EncodedRow => ({
  line,
  ids: Array.from({ length }, (_, id) => id),
  responseStart: 1,
});
const lengths = (batches: EncodedRow[][]): number[][] =>
  batches.map((batch) => batch.map(({ ids }) => ids.length));

describe('batches', () => {
  const rows = [9, 2, 8, 3, 7].map((length) => row(length));

  test('in file order', () => {
    expect(lengths(makeBatches(rows, { batchRows: 2, order: 'file' }))).toEqual([[9, 2], [8, 3], [7]]);
  });

  test('in buckets of similar length, in an order that the seed decides', () => {
    const batches = lengths(makeBatches(rows, { batchRows: 2, order: 'length-buckets', seed: 1 }));
    expect(batches.toSorted((a, b) => a[0]! - b[0]!)).toEqual([[2, 3], [7, 8], [9]]);
    const orders = Array.from({ length: 20 }, (_, seed) =>
      JSON.stringify(lengths(makeBatches(rows, { batchRows: 2, order: 'length-buckets', seed }))),
    );
    expect(new Set(orders).size).toBeGreaterThan(3);
    expect(() => makeBatches(rows, { batchRows: 0, order: 'file' })).toThrow('at least 1 row');
  });

  test('have rows up to a border apart from those that a model reads beyond it', () => {
    const border = 7;
    expect(lengths(makeBatches(rows, { batchRows: 3, order: 'file', border }))).toEqual([
      [2, 8],
      [9],
      [3, 7],
    ]);
    const sorted = lengths(makeBatches(rows, { batchRows: 3, order: 'length-buckets', border }));
    expect(sorted.toSorted((a, b) => a[0]! - b[0]!)).toEqual([[2, 3, 7], [8], [9]]);
  });

  test('hold every row once, all but one batch full', () => {
    const order = fc.constantFrom('file' as const, 'length-buckets' as const);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 50 })),
        fc.integer({ min: 1, max: 8 }),
        order,
        fc.integer(),
        (given, batchRows, kind, seed) => {
          const many = given.map((length, index) => row(length, index));
          const batches = makeBatches(many, { batchRows, order: kind, seed });
          expect(batches.flat().toSorted((a, b) => a.line - b.line)).toEqual(many);
          expect(batches.filter((batch) => batch.length < batchRows).length).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});

test('a summary of lengths and problems', () => {
  const rows = [3, 5, 5, 30].map((length) => row(length));
  const summary = summarise(rows, [
    { line: 4, kind: 'cut', message: 'a' },
    { line: 2, kind: 'empty', message: 'b' },
    { line: 9, kind: 'cut', message: 'c' },
  ]);
  expect(summary.whole).toMatchObject({
    rows: 4,
    tokens: 43,
    min: 3,
    median: 5,
    mean: 10.75,
    p90: 30,
    max: 30,
  });
  expect(summary.whole.histogram).toHaveLength(10);
  expect(summary.whole.histogram[0]).toEqual({ from: 3, to: 5, rows: 3 });
  expect(summary.prompts).toMatchObject({ min: 1, max: 1, histogram: [{ from: 1, to: 1, rows: 4 }] });
  expect(summary.problems).toEqual([
    { kind: 'cut', count: 2, lines: [4, 9], example: 'a' },
    { kind: 'empty', count: 1, lines: [2], example: 'b' },
  ]);
  expect(summarise([], []).whole).toEqual({
    rows: 0,
    tokens: 0,
    min: 0,
    median: 0,
    mean: 0,
    p90: 0,
    max: 0,
    histogram: [],
  });
});

test('hashes tell what rows say, not where they stand', () => {
  expect(contentHash(row(3, 1))).toBe(contentHash(row(3, 2)));
  expect(contentHash(row(3))).not.toBe(contentHash(row(4)));
  expect(contentHash({ line: 1, ids: [0, 1], responseStart: 1 })).toBe(
    contentHash({ responseStart: 1, ids: [0, 1], line: 1 }),
  );
  expect(hashRows([row(1), row(2)])).not.toBe(hashRows([row(2), row(1)]));
  expect(promptHash({ line: 1, ids: [0, 1, 2], responseStart: 2 })).toBe(
    promptHash({ line: 1, ids: [0, 1, 3], responseStart: 2 }),
  );
  expect(promptHash({ line: 1, ids: [0, 1] })).toBe(
    promptHash({ line: 1, ids: [0, 1, 3], responseStart: 2 }),
  );
});
