/** A task's rows as batches, and what is judged by them. */
import { lossKindFor, type JobSettings } from '../../../schema/settings.js';
import type { QualityMeasure } from '../../../schema/report.js';
import { makeLossBatch, type LossBatch } from '../../loss/loss-batch.js';
import { makeBatches } from '../../data/batches.js';
import type { Decoder } from '../../decoder/decoder.js';
import type { EncodedRow } from '../../data/encoded-row.js';
import { withPrompts } from '../../data/learnt-rows.js';
import { shuffled } from '../../data/seeded-random.js';
import type { TrialRows } from '../../calibrate/select/selection-strategy.js';
import type { SourceModel } from './source-model.js';
import type { PreparedTask } from './task.js';
import { smallBatchRows, trainingBatchRows } from './settings.js';

/** Held-out responses longer than this (median, in tokens) are judged token by token, not as whole answers. */
const LONG_ANSWER_TOKENS = 64;

/**
 * Response tokens on which blocks are judged one by one. Rows with answers of the file are short as a rule, and their
 * prompts are most of the work.
 */
const JUDGED_TOKENS = { own: 1000, file: 300 };
/** Held-out response tokens that are enough to tell epochs apart. */
const EPOCH_TOKENS = 2000;
/** Rows at a time where nothing is learnt: with more, activations leave the processor's caches. */
const FEW_ROWS = 8;
/** The part of the calibration rows by which trained choices are judged, and which they are not trained on. */
const VALIDATION_SHARE = 0.25;

export interface TaskBatches {
  /** To learn from, as all but the held-out rows and those that judge trials: of own answers with parts of the prompts. */
  calibration: LossBatch[];
  smallBatches: LossBatch[];
  training: LossBatch[];
  trialRows: TrialRows;
  heldout: LossBatch[];
}

/** Batches of both sides, as the settings order them. */
export function taskBatches(
  model: Pick<SourceModel, 'decoder'>,
  task: PreparedTask,
  settings: JobSettings,
): TaskBatches {
  const { order, seed } = settings;
  const padId = task.tokenizer.padTokenId;
  const toBatches = (rows: readonly EncodedRow[], rowOrder: JobSettings['order'], batchRows: number) =>
    makeBatches(rows, { batchRows, order: rowOrder, seed, border: model.decoder.rotaryBorder }).map((batch) =>
      makeLossBatch(model.decoder, batch, padId),
    );
  const [trial, validation] = trialSplit(task.calibration, seed);
  const judged = firstRows(trial, task.summary.responses === 'own' ? JUDGED_TOKENS.own : JUDGED_TOKENS.file);
  const half = trial.slice(0, Math.ceil(trial.length / 2));
  const learnt =
    lossKindFor(task.summary.responses) === 'divergence' ? learntRows(task.calibration) : undefined;
  const asLearnt = (rows: readonly EncodedRow[]) => rows.map((row) => learnt?.get(row) ?? row);
  const calibration = asLearnt(task.calibration);
  return {
    trialRows: {
      judged: toBatches(judged, 'length-buckets', FEW_ROWS),
      training: toBatches(asLearnt(half), order, trainingBatchRows(settings)),
      validation: toBatches(validation, 'length-buckets', FEW_ROWS),
    },
    calibration: toBatches(calibration, order, settings.batchRows),
    smallBatches: toBatches(calibration, 'file', smallBatchRows(settings)),
    training: toBatches(calibration, order, trainingBatchRows(settings)),
    heldout: batchesByLength(model.decoder, task.heldout, Math.min(settings.batchRows, FEW_ROWS), task),
  };
}

/**
 * The held-out rows by which epochs are held against each other: all of them on the same rows, so that not all rows are
 * needed.
 * @returns every second, third... batch, with about as many response tokens as are enough
 */
export function epochRows(heldout: readonly LossBatch[]): LossBatch[] {
  const tokens = heldout.reduce((sum, { labels }) => sum + labels.length, 0);
  const every = Math.max(1, Math.min(heldout.length, Math.floor(tokens / EPOCH_TOKENS)));
  return heldout.filter((_, index) => index % every === every >> 1);
}

function learntRows(rows: readonly EncodedRow[]): Map<EncodedRow, EncodedRow> {
  const learnt = withPrompts(rows);
  return new Map(rows.map((row, index) => [row, learnt[index]!]));
}

/** Rows of like length together, the shortest first. */
export function batchesByLength(
  decoder: Decoder,
  rows: readonly EncodedRow[],
  batchRows: number,
  { tokenizer }: Pick<PreparedTask, 'tokenizer'>,
): LossBatch[] {
  const sorted = rows.toSorted((a, b) => a.ids.length - b.ids.length);
  return makeBatches(sorted, { batchRows, order: 'file', border: decoder.rotaryBorder }).map((batch) =>
    makeLossBatch(decoder, batch, tokenizer.padTokenId),
  );
}

/** Bytes of logits of a batch in which those of every position are asked for. */
const LOGITS_BYTES = 128e6;

/** Rows of like length together, as many as have logits of bearable size; one alone may have more. */
export function batchesForLogits(
  decoder: Decoder,
  rows: readonly EncodedRow[],
  task: Pick<PreparedTask, 'tokenizer'>,
): LossBatch[] {
  const longest = Math.max(...rows.map(({ ids }) => ids.length));
  const bytes = longest * decoder.vocabularySize * Float32Array.BYTES_PER_ELEMENT;
  return batchesByLength(decoder, rows, Math.max(1, Math.floor(LOGITS_BYTES / bytes)), task);
}

/** Rows kept apart for trials, as many as have so many response tokens. */
export function rowsForTrials(task: PreparedTask, { seed }: Pick<JobSettings, 'seed'>): EncodedRow[] {
  const [, validation] = trialSplit(task.calibration, seed);
  return firstRows(validation, JUDGED_TOKENS.own);
}

export function qualityMeasureFor(rows: readonly EncodedRow[]): QualityMeasure {
  const lengths = rows.map((row) => row.ids.length - row.responseStart).toSorted((a, b) => a - b);
  return lengths[lengths.length >> 1]! > LONG_ANSWER_TOKENS ? 'tokens' : 'answers';
}

function trialSplit(rows: readonly EncodedRow[], seed: number): [EncodedRow[], EncodedRow[]] {
  const drawn = shuffled(rows, seed);
  const border = Math.max(1, Math.round((1 - VALIDATION_SHARE) * drawn.length));
  const validation = drawn.slice(border);
  return [drawn.slice(0, border), validation.length > 0 ? validation : drawn];
}

/** As many rows as have so many response tokens. */
function firstRows(rows: readonly EncodedRow[], responseTokens: number): EncodedRow[] {
  let tokens = 0;
  const end = rows.findIndex(
    ({ ids, responseStart }) => (tokens += ids.length - responseStart) >= responseTokens,
  );
  return end < 0 ? [...rows] : rows.slice(0, end + 1);
}
