import path from 'node:path';
import { expect, it } from 'vitest';
import { loadTokenizer } from '../../data/tokenizer.js';
import { readRows } from './rows.js';
import { checkedSettings } from './settings.js';
import { usedRows } from './token-budget.js';

const sample = path.resolve('assets/sample');
const reader = { tokenizer: await loadTokenizer(sample), model: { embeddingRows: 676 } };

async function used(side: 'calibration' | 'heldout', choices: object) {
  const dataset = path.join(sample, 'tasks/arithmetic.jsonl');
  const settings = checkedSettings({ model: sample, dataset, ...choices });
  return usedRows(reader, await readRows(reader, settings), side, settings);
}

it('as many rows are drawn as the tokens allow, from all over the file', async () => {
  const { rows, unused } = await used('calibration', { responses: 'file', calibrationTokens: 2000 });
  const tokens = rows.reduce((sum, { ids }) => sum + ids.length, 0);
  expect(tokens).toBeLessThanOrEqual(2000);
  expect(tokens).toBeGreaterThan(1850);
  expect(unused).toBeGreaterThan(100);
  const lines = rows.map(({ line }) => line);
  expect(lines).toEqual(lines.toSorted((a, b) => a - b));
  expect(lines.at(-1)!).toBeGreaterThan(4 * rows.length);
});

it('an answer that is not known yet counts as the longest that it may be', async () => {
  const choices = { calibrationTokens: 2000, maxNewTokens: 80 };
  const { rows } = await used('calibration', choices);
  const tokens = rows.reduce((sum, { ids }) => sum + ids.length + 80, 0);
  expect(tokens).toBeLessThanOrEqual(2000);
  expect(tokens).toBeGreaterThan(1850);
});

it('rows whose number is given are all used', async () => {
  const { rows, unused } = await used('heldout', { heldoutRows: 90, heldoutTokens: 100 });
  expect([rows.length, unused]).toEqual([90, 0]);
});
