/** Selection and training together on a small decoder: budgets, and stopping at any moment. */
import { jobSettings, type JobSettingsInput } from '../../../schema/settings.js';
import { qualityShare } from '../../../schema/report.js';
import type { JobEvent } from '../../../schema/events.js';
import path from 'node:path';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles, mixtral } from '../../../../test/graphs/build-decoder.js';
import { lossBatchOf } from '../../../../test/support/random-scales.js';
import { temporaryFolder } from '../../../../test/support/temporary-folder.js';
import { calibrate, type CalibrationResult } from './curve.js';
import { unsavedCheckpoint } from '../../calibrate/checkpoint.js';
import { openCheckpoint } from '../../runs/checkpoint-file.js';
import { openForwardModel } from '../../loss/forward-model.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { LOSS_INPUTS } from '../../loss/loss-values.js';
import { saveScales } from '../../decoder/scales.js';
import type { Decoder } from '../../decoder/decoder.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import { CancelledError } from '../../../schema/errors.js';
import { int64Tensor } from '../../runtime/tensors.js';

const styles = new Map([...decoderStyles, mixtral].map((style) => [style.name, style]));

describe('a budget of MLPs', () => {
  it('is refused where these are mixtures of experts', async () => {
    await expect(run({ style: 'mixtral', kind: 'mlp' })).rejects.toThrow(
      "The model's MLPs are mixtures of experts, which Hopscotch does not skip; choose attention blocks.",
    );
  });
});

describe('a calibration that is stopped', () => {
  const settings = {
    budget: { kind: 'blocks', blocks: 2 },
    kind: 'both',
    training: { epochs: 2 },
    trainPoints: 'last',
  } as const;

  it.each([
    ['phi', 'exhaustive'],
    ['qwen3', 'contest'],
  ] as const)(
    'at any moment ends as if it had not been (%s, %s search)',
    async (style, strategy) => {
      const events: JobEvent[] = [];
      const same = { ...settings, style, strategy };
      const whole = await run({ ...same, onEvent: (event) => events.push(event) });
      // Stops at the first event of each kind, and at some of the many gradient steps.
      const moments = events.flatMap((event, index) =>
        index === events.findIndex(({ type }) => type === event.type) || index % 40 === 30 ? [index] : [],
      );
      expect(moments.length).toBeGreaterThan(5);
      const file = path.join(temporaryFolder(), 'checkpoint.json');
      for (const moment of moments) {
        const controller = new AbortController();
        let seen = 0;
        const onEvent = () => void (seen++ === moment && controller.abort());
        const stopped = run({
          ...same,
          file: `${file}-${moment}`,
          onEvent,
          signal: controller.signal,
        });
        await expect(stopped).rejects.toThrow(CancelledError);
        const resumed = await run({ ...same, file: `${file}-${moment}` });
        expect(plain(resumed), `stopped after event ${moment}`).toEqual(plain(whole));
      }
    },
    300_000,
  );

  it('does not try again what its checkpoint holds', async () => {
    const file = path.join(temporaryFolder(), 'checkpoint.json');
    await run({ ...settings, file });
    const events: JobEvent[] = [];
    await run({ ...settings, file, onEvent: (event) => events.push(event) });
    const types = events.map(({ type }) => type);
    expect(types).not.toContain('candidate-started');
    expect(types).not.toContain('epoch-finished');
  });
});

describe('a budget', () => {
  it('in blocks gives the whole curve up to it, each point holding the one before', async () => {
    const points: number[] = [];
    const result = await run({
      budget: { kind: 'blocks', blocks: 3 },
      kind: 'both',
      onPoint: (n) => points.push(n),
      trainPoints: 'all',
    });
    expect(result.points.map(({ skipped }) => skipped.length)).toEqual([1, 2, 3]);
    expect(points.toSorted()).toEqual([1, 2, 3]);
    const [one, two, three] = result.points;
    expect(two!.skipped.slice(0, 1)).toEqual(one!.skipped);
    expect(three!.skipped.slice(0, 2)).toEqual(two!.skipped);
    expect(result.chosen.skipped).toEqual(three!.skipped);
    for (const { withScales, withoutScales, training } of result.points) {
      expect(withScales!.divergence!.value).toBeLessThan(withoutScales.divergence!.value);
      const { heldoutLoss } = training!.epochs[training!.bestEpoch]!;
      expect(withScales!.divergence!.value).toBeCloseTo(heldoutLoss, 4);
    }
  });

  it('trains the point that is asked for alone', async () => {
    const { points } = await run({ budget: { kind: 'blocks', blocks: 2 } });
    expect(points.map(({ skipped }) => skipped.length)).toEqual([2]);
  });

  it.each([
    ['attention', 2, 'attention '],
    ['mlp', 3, 'MLP '],
    ['both', 5, ''],
  ] as const)(
    'of %s blocks is refused if the model has fewer that can be skipped',
    async (kind, most, word) => {
      await expect(run({ kind, budget: { kind: 'blocks', blocks: most + 1 } })).rejects.toThrow(
        `The model has ${most} ${word}blocks that can be skipped; a budget of ${most + 1} is too much.`,
      );
    },
  );

  it('of quality skips as much as stays within it, and no more', async () => {
    const largestDrop = 0.5;
    const totals: number[] = [];
    const onEvent = (event: JobEvent) => void (event.type === 'progress' && totals.push(event.total));
    const result = await run({ budget: { kind: 'quality', largestDrop }, kind: 'both', onEvent });
    const least = qualityShare(result.original, 'tokens') * (1 - largestDrop);
    const shares = result.points.map(({ withScales }) => qualityShare(withScales!, 'tokens'));
    const chosen = result.chosen.skipped.length;
    expect(shares[chosen - 1]).toBeGreaterThanOrEqual(least);
    // The search looked one block further, unless the model has no more.
    if (chosen < 5) expect(shares[chosen]).toBeLessThan(least);
    expect(result.points).toHaveLength(Math.min(5, chosen + 1));
    // Three rounds of five are foreseen; the work grows where the search goes further.
    expect(totals).toEqual(totals.toSorted((a, b) => a - b));
    expect(new Set(totals).size).toBe(Math.max(1, Math.min(5, chosen + 1) - 2));
  });

  it('of quality that no block can keep is refused with advice', async () => {
    await expect(
      run({ budget: { kind: 'quality', largestDrop: 0 }, training: { epochs: 1, learningRate: 0 } }),
    ).rejects.toThrow(
      /No block can be skipped within a loss of 0.0 %.*allow a larger loss, or ask for a number of blocks/,
    );
  });
});

interface RunOptions extends Partial<JobSettingsInput> {
  style?: string;
  file?: string;
  onEvent?: (event: JobEvent) => void;
  onPoint?: (skipped: number) => void;
  signal?: AbortSignal;
}

async function run(options: RunOptions): Promise<CalibrationResult> {
  const { style = 'llama', file, onEvent, onPoint, signal, ...settings } = options;
  const decoder = readDecoder(buildDecoder(styles.get(style)!));
  const batches = [await ownAnswers(decoder, 0), await ownAnswers(decoder, 1)];
  const heldout = [await ownAnswers(decoder, 0)];
  const checkpoint = file === undefined ? unsavedCheckpoint() : openCheckpoint(file, 'the same');
  return await calibrate({
    decoder,
    reference: { decoder, calibration: batches, training: batches, heldout, checkpoint },
    calibration: batches,
    smallBatches: batches,
    training: batches,
    trialRows: { judged: batches, training: batches, validation: batches },
    heldout,
    settings: v.parse(jobSettings, { model: '.', dataset: '.', training: { epochs: 3 }, ...settings }),
    loss: 'divergence',
    runOptions: { threads: 1 },
    qualityMeasure: 'tokens',
    checkpoint,
    signal,
    onEvent: onEvent ?? (() => {}),
    onPoint: ({ skipped }) => onPoint?.(skipped.length),
  });
}

/** Rows on which the decoder is always right. */
async function ownAnswers(decoder: Decoder, seed: number): Promise<LossBatch> {
  const batch = lossBatchOf(decoder, seed);
  const model = await openForwardModel(decoder, { skipped: [], granularity: 'scalar' });
  const { predictions } = await model.run(batch, new Map());
  await model.release();
  const labels = int64Tensor([...predictions], [predictions.length]);
  return { ...batch, labels: predictions, feeds: { ...batch.feeds, [LOSS_INPUTS.labels]: labels } };
}

/** All that a run gives, scales to the bit. */
function plain(result: CalibrationResult): unknown {
  return { ...result, chosen: { ...result.chosen, scales: saveScales(result.chosen.scales) } };
}
