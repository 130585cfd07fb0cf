/** A model with other frequencies for long texts (LongRoPE): rows on both sides of its border, and its cuts. */
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Precision } from '../../src/schema/cuts.js';
import { changePrecision } from '../../src/engine/cuts/precision/change-precision.js';
import { batchesByLength } from '../../src/engine/jobs/parts/batches.js';
import { openModel, type SourceModel } from '../../src/engine/jobs/parts/source-model.js';
import { openForwardModel } from '../../src/engine/loss/forward-model.js';
import type { LossBatch } from '../../src/engine/loss/loss-batch.js';
import type { Decoder } from '../../src/engine/decoder/decoder.js';
import { freshPath } from '../support/export-sample.js';
import { importModel } from '../support/import-model.js';
import { repositoryRoot } from '../support/shared-folder.js';
import { measureSlope } from '../support/slope.js';
import { batchOf, largestDifference } from './chain.js';

const phi3 = path.join(repositoryRoot, 'test', 'families', 'phi3');
/** The model reads a token less of each: 31 and 32 tokens up to the border, 33 beyond. */
const LENGTHS = [33, 34, 12, 40, 33, 50, 32];
const BEYOND = [35, 33, 41, 37];

const rows = LENGTHS.map((length, line) => ({
  line,
  ids: Array.from({ length }, (_, at) => (7 * at + 11 * line + at * at) % 676),
  responseStart: 4,
}));

async function logitsOf(decoder: Decoder, batches: readonly LossBatch[]): Promise<number[]> {
  const model = await openForwardModel(decoder, {
    skipped: [],
    granularity: 'scalar',
    runOptions: { threads: 1 },
  });
  const logits: number[] = [];
  for (const batch of batches) for (const value of await model.logits(batch, new Map())) logits.push(value);
  await model.release();
  return logits;
}

/** The distance of logits in parts of their own size. */
function distance(actual: readonly number[], expected: readonly number[]): number {
  const size = (values: readonly number[]) => Math.hypot(...values);
  return size(actual.map((value, index) => value - expected[index]!)) / size(expected);
}

describe.each([
  ['imported', async () => await importModel(path.join(phi3, 'model.gguf'))],
  ["of onnxruntime-genai's builder", () => Promise.resolve(path.join(phi3, 'genai'))],
])('a model with LongRoPE, %s', (_, folder) => {
  let model: SourceModel;
  beforeAll(async () => {
    model = await openModel(await folder());
  });

  it('gives for rows on both sides of the border together what it gives for each alone', async () => {
    const batches = (batchRows: number) =>
      batchesByLength(model.decoder, rows, batchRows, { tokenizer: { padTokenId: 0 } as never });
    const together = batches(8);
    expect(together.map((batch) => batch.rows)).toEqual([4, 3]);
    const alone = await logitsOf(model.decoder, batches(1));
    expect(largestDifference(await logitsOf(model.decoder, together), alone)).toBeLessThan(1e-4);
  });

  it.each<Precision>(['fp16', 'int8', 'q4', 'q4f16'])(
    'cut to %s, is as near beyond the border as below, and has gradients',
    async (precision) => {
      const { source, decoder } = model;
      const cut = await changePrecision({ source, decoder, precision, output: freshPath('cut') });
      const after = (await openModel(cut.folder)).decoder;
      expect(after.rotaryBorder).toBe(32);
      expect(after.contextLength).toBe(128);
      const [below, beyond] = [batchOf(decoder), batchOf(decoder, BEYOND)];
      const far = async (batch: LossBatch) =>
        distance(await logitsOf(after, [batch]), await logitsOf(decoder, [batch]));
      expect(await far(beyond)).toBeLessThan(2 * (await far(below)));
      const slope = await measureSlope(after, beyond, { skipped: ['attention 1'], granularity: 'channel' });
      expect(slope.error).toBeLessThan(2e-3);
    },
  );
});
