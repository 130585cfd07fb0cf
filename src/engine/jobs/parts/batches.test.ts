/** What a task's rows are batched for: to be learnt from, or to judge. */
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { epochRows, taskBatches } from './batches.js';
import { checkedSettings } from './settings.js';
import type { PreparedTask } from './task.js';

const decoder = readDecoder(buildDecoder(decoderStyles[0]!));
const PROMPT = 6;
const RESPONSE = 4;
const rowsFrom = (first: number) =>
  Array.from({ length: 8 }, (_, row) => ({
    line: row + 1,
    ids: Array.from({ length: PROMPT + RESPONSE }, (__, at) =>
      at < 2 ? at : (first + row * 5 + at * 3) % 30,
    ),
    responseStart: PROMPT,
  }));

function batchesOf(responses: 'own' | 'file') {
  const task = {
    calibration: rowsFrom(2),
    heldout: rowsFrom(11),
    summary: { responses },
    tokenizer: { padTokenId: 0 },
  } as unknown as PreparedTask;
  return taskBatches(
    { decoder },
    task,
    checkedSettings({ model: 'm', dataset: 'd', responses, batchRows: 4 }),
  );
}

const tokensPerRow = (batches: readonly LossBatch[]) =>
  new Set(batches.map(({ labels, rows }) => labels.length / rows));

describe("a model's own answers", () => {
  const { calibration, smallBatches, training, trialRows, heldout } = batchesOf('own');

  it('are learnt with ends of their prompts, half as long as they are', () => {
    for (const batches of [calibration, smallBatches, training, trialRows.training])
      expect(tokensPerRow(batches)).toEqual(new Set([RESPONSE + RESPONSE / 2]));
  });

  it('alone judge', () => {
    for (const batches of [heldout, trialRows.judged, trialRows.validation])
      expect(tokensPerRow(batches)).toEqual(new Set([RESPONSE]));
  });
});

describe('the held-out rows that judge epochs', () => {
  it.each([
    ['all, where they are few', [300, 500, 600], [0, 1, 2]],
    ['every second batch of about 4,000 tokens', [200, 400, 500, 600, 700, 800, 900], [1, 3, 5]],
    ['every third of 6,000', [600, 800, 900, 1000, 1300, 1400], [1, 4]],
    ['the only batch, however large', [9000], [0]],
    ['one of few large batches', [5000, 6000], [1]],
  ])('are %s', (_, tokens, judging) => {
    const heldout = tokens.map((count) => ({ labels: new Int32Array(count) }) as LossBatch);
    expect(epochRows(heldout)).toEqual(judging.map((index) => heldout[index]));
  });
});

it("of the file's answers nothing else is learnt", () => {
  const { trialRows, ...others } = batchesOf('file');
  for (const batches of [...Object.values(trialRows), ...Object.values(others)])
    expect(tokensPerRow(batches as LossBatch[])).toEqual(new Set([RESPONSE]));
});
