/** A task's rows as batches, and what is judged by them. */
import type { JobSettings } from '../../../schema/settings.js';
import type { QualityMeasure } from '../../../schema/report.js';
import { makeLossBatch, type LossBatch } from '../../loss/loss-batch.js';
import { makeBatches } from '../../data/batches.js';
import type { EncodedRow } from '../../data/encoded-row.js';
import type { SourceModel } from './source-model.js';
import type { PreparedTask } from './task.js';
import { smallBatchRows, trainingBatchRows } from './settings.js';

/** Held-out responses longer than this (median, in tokens) are judged token by token, not as whole answers. */
const LONG_ANSWER_TOKENS = 64;

/** Batches of both sides, as the settings order them. */
export function taskBatches(
  model: SourceModel,
  task: PreparedTask,
  settings: JobSettings,
): { calibration: LossBatch[]; smallBatches: LossBatch[]; training: LossBatch[]; heldout: LossBatch[] } {
  const { order, seed } = settings;
  const padId = task.tokenizer.padTokenId;
  const toBatches = (rows: EncodedRow[], rowOrder: JobSettings['order'], batchRows: number) =>
    makeBatches(rows, { batchRows, order: rowOrder, seed }).map((batch) =>
      makeLossBatch(model.decoder, batch, padId),
    );
  return {
    calibration: toBatches(task.calibration, order, settings.batchRows),
    smallBatches: toBatches(task.calibration, 'file', smallBatchRows(settings)),
    training: toBatches(task.calibration, order, trainingBatchRows(settings)),
    heldout: toBatches(task.heldout, 'file', settings.batchRows),
  };
}

export function qualityMeasureFor(rows: readonly EncodedRow[]): QualityMeasure {
  const lengths = rows.map((row) => row.ids.length - row.responseStart).toSorted((a, b) => a - b);
  return lengths[lengths.length >> 1]! > LONG_ANSWER_TOKENS ? 'tokens' : 'answers';
}
