/** Trains one more point of a run's curve, when it is asked for: the search has chosen its blocks already. */
import type { CurvePoint } from '../../schema/report.js';
import type { Run, RunPoint } from '../../schema/runs.js';
import { isCut } from '../../schema/cuts.js';
import { rowsIn } from '../loss/loss-batch.js';
import { lossKindFor } from '../../schema/settings.js';
import { UserError } from '../../schema/errors.js';
import { chosenBlocks } from '../calibrate/checkpoint.js';
import { openCheckpoint } from '../runs/checkpoint-file.js';
import { keptCheckpoint, keptReport } from '../runs/run-details.js';
import { lockRun } from '../runs/run-lock.js';
import { saveReport } from '../runs/report.js';
import type { JobContext } from './context.js';
import { taskBatches } from './parts/batches.js';
import { onDevice } from './parts/device.js';
import { MemoryPlanner } from './parts/memory-plan.js';
import { measureOriginal } from './parts/original.js';
import { trainAndMeasure } from './parts/point.js';
import { prepareRunTask, runFingerprint, runModels } from './parts/points.js';
import { trainingSettings } from './parts/settings.js';
import { WithTimeLeft } from './parts/time-left.js';
import { inBatches, originalWork, pointWork } from './parts/work.js';

/**
 * Does nothing where the point is trained already; what was trained before a stop is not trained again.
 * @throws UserError if the run has not chosen so many blocks, or its model or dataset has changed; CancelledError if stopped
 */
export async function trainPoint(request: RunPoint, context: JobContext): Promise<void> {
  const { store } = context;
  const run = store.openExactly(request.run);
  if (isDone(run, request.blocks, context)) return;
  const unlock = lockRun(store.folderOf(run.id));
  try {
    await trainLocked(run, request, context);
  } finally {
    unlock();
  }
}

/** Trained, and its figures are in the report, if there is one: a process may have ended between the two. */
function isDone(run: Run, blocks: number, { store }: Pick<JobContext, 'store'>): boolean {
  if (!keptCheckpoint(store, run)?.training[String(blocks)]?.finished) return false;
  const report = keptReport(store, run);
  return report === undefined || report.points.some(({ skipped }) => skipped.length === blocks);
}

async function trainLocked(run: Run, request: RunPoint, context: JobContext): Promise<void> {
  const { store, signal } = context;
  const { settings } = run;
  if (request.blocks === 0 && !isCut(settings)) return;
  const models = await runModels(request, context);
  const { model, reference } = models;
  const task = await prepareRunTask({ run, models }, context);
  const checkpoint = openCheckpoint(store.checkpointFile(run), runFingerprint(model, task, settings));
  const chosen = chosenBlocks(checkpoint.state);
  if (request.blocks > chosen.length) {
    throw new UserError(
      `The run ${run.id} has chosen ${chosen.length} blocks, not ${request.blocks}; start a run with a larger budget.`,
    );
  }
  const timed = new WithTimeLeft(context.on);
  timed.pass({ type: 'stage', stage: 'calibrating' });
  const batches = taskBatches(model, task, settings);
  const referenceBatches = reference === model ? batches : taskBatches(reference, task, settings);
  const { epochs, ...training } = trainingSettings(settings, model.decoder.hiddenSize);
  const loss = lossKindFor(task.summary.responses);
  const heldoutBatches = inBatches(rowsIn(batches.heldout), batches.calibration);
  const size = { batches: batches.calibration.length, heldoutBatches, loss };
  const total = originalWork(size) + pointWork(size, epochs).point;
  let done = 0;
  const isNew = checkpoint.state.training[String(request.blocks)] === undefined;
  const started = performance.now();
  const point = await onDevice(settings, async (runOptions) => {
    const pointTask = {
      decoder: model.decoder,
      ...batches,
      loss,
      settings,
      runOptions: await new MemoryPlanner(settings.memory, runOptions).forCalibration(
        model.decoder,
        [...batches.calibration, ...batches.heldout],
        training,
      ),
      checkpoint,
      reference: { decoder: reference.decoder, ...referenceBatches, checkpoint },
      signal,
      onEvent: (event: Parameters<typeof timed.pass>[0]) => timed.pass(event),
      onWork: (forwardPasses: number) => {
        done += forwardPasses;
        timed.pass({ type: 'progress', done: Math.min(done, total), total });
      },
    };
    const { kept } = await measureOriginal({
      ...pointTask,
      learners: [...batches.calibration, ...batches.training, ...batches.heldout],
    });
    return (await trainAndMeasure({ ...pointTask, kept }, chosen.slice(0, request.blocks))).point;
  });
  addToReport(run, point, isNew ? (performance.now() - started) / 1000 : undefined, context);
  timed.pass({ type: 'point', point });
}

function addToReport(
  run: Run,
  point: CurvePoint,
  seconds: number | undefined,
  { store }: Pick<JobContext, 'store'>,
): void {
  const report = keptReport(store, run);
  if (!report) return;
  const others = report.points.filter(({ skipped }) => skipped.length !== point.skipped.length);
  const points = [...others, point].toSorted((a, b) => a.skipped.length - b.skipped.length);
  const pointSeconds = {
    ...report.pointSeconds,
    ...(seconds !== undefined && { [point.skipped.length]: seconds }),
  };
  saveReport(store.reportFile(run), { ...report, points, pointSeconds });
}
