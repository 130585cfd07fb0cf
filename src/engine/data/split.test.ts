import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Example } from './example.js';
import { splitRows } from './split.js';

const example = (content: string, response = 'a'): Example => ({
  line: 1,
  messages: [{ role: 'user', content }],
  response,
});
const examples = (count: number): Example[] =>
  Array.from({ length: count }, (_, index) => example(`question ${index}`));

describe('a split', () => {
  test('has the sizes asked for, each row at most once', () => {
    const { calibration, heldout } = splitRows(examples(100), { seed: 1 });
    expect([calibration.length, heldout.length]).toEqual([80, 20]);
    expect(new Set([...calibration, ...heldout]).size).toBe(100);
    const few = splitRows(examples(100), { seed: 1, heldoutRows: 10, calibrationRows: 32 });
    expect([few.calibration.length, few.heldout.length]).toEqual([32, 10]);
    expect(splitRows(examples(10), { seed: 1, heldoutRows: 0 })).toMatchObject({ heldout: [] });
  });

  test('passes over rows that cannot be used, and both sides have their share of those that can', () => {
    const isUsable = (index: number): boolean => index % 4 === 0;
    const asked = { seed: 1, heldoutRows: 30, calibrationRows: 60, isUsable };
    const many = splitRows(examples(400), asked);
    expect([many.calibration.length, many.heldout.length]).toEqual([60, 30]);
    const few = splitRows(examples(100), asked);
    expect([few.calibration.length, few.heldout.length]).toEqual([16, 9]);
    expect([...few.calibration, ...few.heldout].every(isUsable)).toBe(true);
  });

  test('is the same for the same seed in any order, and another for another seed', () => {
    const rows = examples(50);
    const chosen = (from: Example[], seed: number): Set<Example> =>
      new Set(splitRows(from, { seed }).heldout.map((row) => from[row]!));
    expect(chosen(rows.toReversed(), 1)).toEqual(chosen(rows, 1));
    expect(chosen(rows, 2)).not.toEqual(chosen(rows, 1));
  });

  test('a row more moves only rows at the border', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 80 }), fc.integer(), (count, seed) => {
        const before = splitRows(examples(count), { seed });
        const after = splitRows([...examples(count), example('another')], { seed });
        const stayed = before.heldout.filter((row) => after.heldout.includes(row));
        expect(stayed.length).toBeGreaterThanOrEqual(before.heldout.length - 1);
      }),
    );
  });

  test('rows with the same prompt stay together', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(8), { minLength: 4, maxLength: 40 }), fc.integer(), (prompts, seed) => {
        fc.pre(new Set(prompts).size > 1);
        const rows = prompts.map((prompt, index) => example(`question ${prompt}`, `answer ${index}`));
        const { calibration, heldout } = splitRows(rows, { seed, heldoutRows: 2 });
        const trained = new Set(calibration.map((row) => prompts[row]));
        expect(heldout.some((row) => trained.has(prompts[row]!))).toBe(false);
        expect(calibration.length + heldout.length).toBe(prompts.length);
        expect(Math.min(calibration.length, heldout.length)).toBeGreaterThan(0);
      }),
    );
  });

  test('says why it cannot be made', () => {
    expect(() => splitRows(examples(1), { seed: 1 })).toThrow('none would be left to train on');
    expect(() => splitRows([example('a'), example('a', 'b')], { seed: 1 })).toThrow(
      'at least two rows with different prompts',
    );
    expect(() => splitRows(examples(10), { seed: 1, heldoutFraction: 1.5 })).toThrow('between 0 and 1');
    expect(() => splitRows(examples(10), { seed: 1, heldoutRows: -1 })).toThrow('at least');
  });
});
