/** A point of a run's curve, ready to be compared or exported: the model, the task and the trained scales. */
import { restoreScales, type Scales } from '../../decoder/scales.js';
import { UserError } from '../../../schema/errors.js';
import { MemoryPlanner } from './memory-plan.js';
import type { SourceModel } from './source-model.js';
import { prepareTask, type PreparedTask } from './task.js';
import type { SlimReport } from '../../runs/report.js';
import type { Run } from '../../runs/run-store.js';
import { withSession } from './settings.js';
import { runFingerprint } from '../slim.js';
import type { RunPoint } from '../../../shared/compare.js';
import type { BlockName } from '../../../shared/values.js';
import type { EngineContext } from '../../../engine-process/engine-context.js';
import { checkpointOf, openRun, reportOf, skippedAt } from '../../../engine-process/run-details.js';

export interface TrainedPoint {
  run: Run;
  report: SlimReport | undefined;
  model: SourceModel;
  skipped: BlockName[];
  scales: Scales;
}

/** @throws UserError if the run, its model or the point's scales are not there */
export async function openRunPoint(
  context: EngineContext,
  { run: id, blocks }: RunPoint,
): Promise<TrainedPoint> {
  const { store, models } = context;
  const run = openRun(store, id);
  const { model: location, modelFile, memory } = run.settings;
  const model = await models.open({ model: location, modelFile }, memory);
  const report = reportOf(store, run);
  if (blocks === 0) return { run, report, model, skipped: [], scales: new Map() };
  const checkpoint = checkpointOf(store, run);
  const training = checkpoint?.training[String(blocks)];
  if (!checkpoint || !training?.finished) {
    throw new UserError(
      `This run has no trained scales for ${blocks} skipped ${blocks === 1 ? 'block' : 'blocks'}; choose another point of its curve.`,
    );
  }
  return {
    run,
    report,
    model,
    skipped: skippedAt(checkpoint, blocks),
    scales: restoreScales(training.best.scales),
  };
}

/**
 * The run's task with the rows it was calibrated on; its own answers come from the cache.
 * @throws UserError if the dataset is gone, or if the model or the dataset has changed since
 */
export async function prepareRunTask(context: EngineContext, point: TrainedPoint): Promise<PreparedTask> {
  const { run, model } = point;
  const { settings } = run;
  const task = await withSession(settings, (session) => {
    const planner = new MemoryPlanner(settings.memory, session);
    return prepareTask(model, settings, {
      cacheFolder: context.folders.cache,
      session,
      planGeneration: (prompts) => planner.forGeneration(model.decoder, prompts, settings.maxNewTokens),
    });
  });
  const checkpoint = checkpointOf(context.store, run);
  if (checkpoint && checkpoint.fingerprint !== runFingerprint(model, task, run.settings)) {
    throw new UserError(
      'The model or the dataset has changed since the run; its scales do not fit any more. Start a new run.',
    );
  }
  return task;
}
