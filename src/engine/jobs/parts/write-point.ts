/** One point of the curve as a model: in memory, and as a folder. */
import path from 'node:path';
import type { RunReport } from '../../../schema/report.js';
import type { Granularity, JobSettings } from '../../../schema/settings.js';
import type { Decoder } from '../../decoder/decoder.js';
import { reportFigures } from '../../evaluate/figures.js';
import { leftOut } from '../../export/companions.js';
import { insertScales } from '../../export/explicit-scales.js';
import { exportModel, type ExportedModel } from '../../export/export-model.js';
import { exportInPlace } from '../../export/in-place.js';
import { applyWeightEdits, foldScales } from '../../export/fold-scales.js';
import type { RunOptions } from '../../runtime/session.js';
import { batchesForLogits } from './batches.js';
import { onDevice } from './device.js';
import { MemoryPlanner } from './memory-plan.js';
import { modelBytes, writtenModelBytes } from './model-files.js';
import type { TrainedPoint } from './points.js';
import type { RunModels } from './run-models.js';
import type { SourceModel } from './source-model.js';
import type { PreparedTask } from './task.js';

/** Rows whose logits are compared before an export is called done. */
const VERIFICATION_ROWS = 16;

/**
 * The slimmed model as a generator opens it: scales folded into weights that are read for it; run in segments, the
 * scales stay beside the weights, which are not copied then.
 */
export function slimmedForAnswers(
  model: SourceModel,
  { skipped, scales }: TrainedPoint,
  granularity: Granularity,
  runOptions: RunOptions,
): Decoder {
  return runOptions.segments
    ? insertScales(model.decoder, skipped, scales, granularity)
    : applyWeightEdits(foldScales(model.decoder, skipped, scales));
}

/** What a job has to know of a point that lies in a folder. */
export type WrittenPoint = Pick<
  ExportedModel,
  'folder' | 'modelPath' | 'originalBytes' | 'slimmedBytes' | 'modeReason' | 'leftOut'
> & { largestDifference: number };

/** The point as an interrupted job has written it before; undefined if the folder is anything else. */
export function pointInPlace(
  { original, model }: Pick<RunModels, 'original' | 'model'>,
  taskName: string,
  { skipped, scales }: TrainedPoint,
  settings: JobSettings,
  output: string,
): WrittenPoint | undefined {
  const folder = path.resolve(output);
  const { modelFile } = model.source;
  const point = { modelName: model.name, taskName, granularity: settings.scales, skipped, scales };
  const record = exportInPlace(folder, modelFile, point);
  if (!record) return undefined;
  const modelPath = path.join(folder, modelFile);
  return {
    folder,
    modelPath,
    originalBytes: modelBytes(original),
    slimmedBytes: writtenModelBytes(modelPath),
    largestDifference: record.verification.largestDifference,
    leftOut: leftOut(model.source.folder),
  };
}

/**
 * Writes one point of the curve as a model folder.
 * @param report its figures of this point go into the folder; absent where none were measured
 * @throws UserError if the folder cannot be written or fails the check
 */
export async function writePoint(
  { original, model, cuts }: Pick<RunModels, 'original' | 'model' | 'cuts'>,
  task: PreparedTask,
  trained: TrainedPoint,
  report: RunReport | undefined,
  settings: JobSettings,
  output: string,
): Promise<ExportedModel & WrittenPoint> {
  const { skipped, scales } = trained;
  const point = report?.points.find((candidate) => candidate.skipped.length === skipped.length);
  const rows = task.heldout.slice(0, VERIFICATION_ROWS);
  const written = await onDevice(settings, (runOptions) =>
    exportModel({
      source: model.source,
      original: model.decoder,
      skipped,
      scales,
      mode: settings.exportMode,
      output,
      verificationBatches: batchesForLogits(model.decoder, rows, task),
      record: {
        modelName: model.name,
        taskName: task.name,
        strategy: settings.strategy,
        granularity: settings.scales,
        figures: report && point ? reportFigures(report, point) : [],
        cuts,
        originalBytes: modelBytes(original),
      },
      runOptions: new MemoryPlanner(settings.memory, runOptions).forPasses(model.decoder),
    }),
  );
  return { ...written, largestDifference: written.verification.largestDifference };
}
