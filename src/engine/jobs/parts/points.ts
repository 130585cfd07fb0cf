/** A point of a run's curve, ready to be compared or exported: the model, the skipped blocks, the trained scales. */
import type { BlockName } from '../../../schema/blocks.js';
import { UserError } from '../../../schema/errors.js';
import type { RunReport } from '../../../schema/report.js';
import type { Run, RunPoint } from '../../../schema/runs.js';
import type { JobSettings } from '../../../schema/settings.js';
import { chosenBlocks } from '../../calibrate/checkpoint.js';
import { sha256 } from '../../data/sha256.js';
import { restoreScales, type Scales } from '../../decoder/scales.js';
import { requireWhole } from '../../runs/damaged-run.js';
import { keptCheckpoint, keptReport } from '../../runs/run-details.js';
import type { JobContext } from '../context.js';
import type { ImportContext } from './imported-model.js';
import { openRunModels, type RunModels } from './run-models.js';
import { onDevice } from './device.js';
import { MemoryPlanner } from './memory-plan.js';
import { decidingSettings } from './settings.js';
import type { SourceModel } from './source-model.js';
import { prepareTask, type PreparedTask } from './task.js';

export interface TrainedPoint {
  skipped: readonly BlockName[];
  scales: Scales;
}

export interface OpenedPoint extends TrainedPoint {
  run: Run;
  /** Absent where the run was stopped before its first point was measured. */
  report: RunReport | undefined;
  models: RunModels;
}

/** The models of a run. @throws UserError if the run or one of its models is not there */
export async function runModels(
  { run: id }: Pick<RunPoint, 'run'>,
  context: ImportContext & Pick<JobContext, 'kept'>,
): Promise<RunModels> {
  const run = context.store.openExactly(id);
  requireWhole(run);
  return await openRunModels(run, context);
}

/** @throws UserError if the run, its models or the point's scales are not there */
export async function openPoint(
  { run: id, blocks }: RunPoint,
  context: ImportContext & Pick<JobContext, 'kept'>,
): Promise<OpenedPoint> {
  const { store } = context;
  const run = store.openExactly(id);
  const models = await runModels({ run: id }, context);
  const report = keptReport(store, run);
  if (blocks === 0 && models.model === models.original) {
    return { run, report, models, skipped: [], scales: new Map() };
  }
  const checkpoint = keptCheckpoint(store, run);
  const training = checkpoint?.training[String(blocks)];
  const skipped = checkpoint ? chosenBlocks(checkpoint).slice(0, blocks) : [];
  if (!training?.finished || skipped.length < blocks) {
    const trained = Object.entries(checkpoint?.training ?? {}).flatMap(([number, { finished }]) =>
      finished && number !== '0' ? [number] : [],
    );
    throw new UserError(
      `The run ${id} has no trained scales for ${blocks} skipped ${blocks === 1 ? 'block' : 'blocks'}; it has them for ${trained.join(', ') || 'none'}. To export that point trains it.`,
    );
  }
  return { run, report, models, skipped, scales: restoreScales(training.best.scales) };
}

/**
 * The run's task with the rows it was calibrated on; its own answers come from the cache.
 * @throws UserError if the dataset is gone, or if the model or the dataset has changed since
 */
export async function prepareRunTask(
  { run, models }: Pick<OpenedPoint, 'run' | 'models'>,
  context: JobContext,
): Promise<PreparedTask> {
  const { settings } = run;
  const task = await onDevice(settings, (runOptions) =>
    prepareTask(models.reference, settings, new MemoryPlanner(settings.memory, runOptions), context),
  );
  const checkpoint = keptCheckpoint(context.store, run);
  if (checkpoint && checkpoint.fingerprint !== runFingerprint(models.model, task, settings)) {
    throw new UserError(
      'The model or the dataset has changed since the run; its scales do not fit any more. Start a new run.',
    );
  }
  return task;
}

/** Hash of model, rows and settings: a checkpoint is only good for the same. */
export function runFingerprint(model: SourceModel, task: PreparedTask, settings: JobSettings): string {
  const parts = [model.fingerprint, task.fingerprint, decidingSettings(settings)];
  return sha256(JSON.stringify(parts));
}
