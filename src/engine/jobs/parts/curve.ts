/** Selection and training together: finds the blocks, trains the scales of the curve's points, measures each point. */
import type { JobSettings, LossKind } from '../../../schema/settings.js';
import {
  type HeldoutQuality,
  qualityShare,
  type CurvePoint,
  type QualityMeasure,
} from '../../../schema/report.js';
import type { BlockName } from '../../../schema/blocks.js';
import type { JobListener } from '../../../schema/events.js';
import { openForwardModel } from '../../loss/forward-model.js';
import type { Checkpoint } from '../../calibrate/checkpoint.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { selectBlocks, selectionStrategy } from '../../calibrate/select/select-blocks.js';
import { smallBatchShare } from '../../calibrate/select/selection-strategy.js';
import { withoutOffsets } from '../../decoder/scales.js';
import { trainScales, type TrainedScales } from '../../calibrate/train/train-scales.js';
import type { Decoder } from '../../decoder/decoder.js';
import { UserError } from '../../../schema/errors.js';
import { heldoutQuality } from '../../evaluate/heldout-quality.js';
import type { RunOptions } from '../../runtime/session.js';
import { budgetInBlocks } from './budget.js';
import { measureOriginal } from './original.js';
import { blockKinds, trainingSettings } from './settings.js';
import { doneWork, foreseenRounds, foreseenWork, type ForeseenWork } from './work.js';

export interface CalibrationTask {
  decoder: Decoder;
  calibration: readonly LossBatch[];
  /** The calibration rows in small batches. */
  smallBatches: readonly LossBatch[];
  /** The calibration rows in the batches of the final training. */
  training: readonly LossBatch[];
  heldout: readonly LossBatch[];
  /** What is learnt and judged by; batches for a divergence have targets. */
  loss: LossKind;
  settings: JobSettings;
  runOptions: RunOptions;
  qualityMeasure: QualityMeasure;
  checkpoint: Checkpoint;
  signal: AbortSignal | undefined;
  onEvent: JobListener;
  /** Called when the original has been measured, before anything is skipped. */
  onOriginal?(quality: HeldoutQuality): void;
  /** Called whenever a point of the curve has been measured. */
  onPoint(point: CurvePoint): void;
}

export interface CalibrationResult {
  original: HeldoutQuality;
  points: CurvePoint[];
  /** The last point within the budget. */
  chosen: TrainedScales;
}

/** @throws CancelledError if stopped; all finished candidates and epochs are in the checkpoint */
export async function calibrate(task: CalibrationTask): Promise<CalibrationResult> {
  const work = new WorkCounter(task);
  const original = await measureOriginal({
    ...task,
    regrouped: [...task.smallBatches, ...task.training],
  });
  task.onOriginal?.(original);
  const points = new Map<number, { point: CurvePoint; trained: TrainedScales | undefined }>();
  const measure = async (skipped: readonly BlockName[], train: boolean) => {
    if (points.has(skipped.length)) return points.get(skipped.length)!;
    const measured = await measurePoint(task, skipped, train, work);
    points.set(skipped.length, measured);
    task.onPoint(measured.point);
    return measured;
  };

  const { budget } = task.settings;
  const isGoodEnough = (point: CurvePoint, largestDrop: number) => {
    const share = qualityShare(point.withScales ?? point.withoutScales, task.qualityMeasure);
    return share >= qualityShare(original, task.qualityMeasure) * (1 - largestDrop);
  };
  const chosenBlocks = await selectBlocks(
    {
      decoder: task.decoder,
      batches: task.calibration,
      smallBatches: task.smallBatches,
      granularity: withoutOffsets(task.settings.scales),
      loss: task.loss,
      seed: task.settings.seed,
      learningRate: task.settings.selectionLearningRate,
      runOptions: task.runOptions,
      signal: task.signal,
      onWork: (forwardPasses) => work.count(forwardPasses),
    },
    {
      strategy: selectionStrategy(task.settings.strategy),
      kinds: blockKinds(task.settings),
      budget: budgetInBlocks(task.decoder, task.settings),
      ...(budget.kind === 'quality'
        ? {
            goOn: async (skipped: readonly BlockName[]) => {
              const goesOn = isGoodEnough((await measure(skipped, true)).point, budget.largestDrop);
              if (goesOn) work.expectRounds(skipped.length + 1);
              return goesOn;
            },
          }
        : {}),
    },
    task.checkpoint,
    task.onEvent,
  );

  let last = chosenBlocks.length;
  if (budget.kind === 'quality') {
    while (last > 0 && !isGoodEnough(points.get(last)!.point, budget.largestDrop)) last -= 1;
    if (last === 0) {
      throw new UserError(
        `No block can be skipped within a loss of ${(budget.largestDrop * 100).toFixed(1)} % of the held-out quality; allow a larger loss, or ask for a number of blocks to see what it costs.`,
      );
    }
  }
  const { trained } = await measure(chosenBlocks.slice(0, last), true);
  for (let count = 1; count < last; count += 1) {
    await measure(chosenBlocks.slice(0, count), task.settings.trainPoints === 'all');
  }
  return {
    original,
    points: [...points.values()]
      .map(({ point }) => point)
      .toSorted((a, b) => a.skipped.length - b.skipped.length),
    chosen: trained!,
  };
}

async function measurePoint(
  task: CalibrationTask,
  skipped: readonly BlockName[],
  train: boolean,
  work: WorkCounter,
): Promise<{ point: CurvePoint; trained: TrainedScales | undefined }> {
  const settings = trainingSettings(task.settings);
  const share = task.calibration.length / task.training.length;
  const trained = train
    ? await trainScales(
        {
          ...task,
          batches: task.training,
          onWork: (forwardPasses) => work.count(forwardPasses * share),
          onHeldout: (forwardPasses) => work.count(forwardPasses),
        },
        skipped,
        settings,
        task.checkpoint,
        task.onEvent,
      )
    : undefined;
  const open = (blocks: readonly BlockName[]) =>
    openForwardModel(task.decoder, {
      skipped: blocks,
      granularity: settings.granularity,
      runOptions: task.runOptions,
    });
  const original = { model: await open([]), scales: new Map() };
  const slimmed = await open(skipped);
  try {
    const options = { original, ...signalOf(task) };
    const point: CurvePoint = {
      skipped: [...skipped],
      withoutScales: await heldoutQuality({ model: slimmed, scales: new Map() }, task.heldout, options),
      withScales:
        trained && (await heldoutQuality({ model: slimmed, scales: trained.scales }, task.heldout, options)),
      selectionLoss: task.checkpoint.state.rounds[skipped.length - 1]?.losses[skipped.at(-1)!],
      training: trained && { epochs: [...trained.epochs], bestEpoch: trained.bestEpoch },
    };
    return { point, trained };
  } finally {
    await original.model.release();
    await slimmed.release();
  }
}

function signalOf(task: CalibrationTask): { signal?: AbortSignal } {
  return task.signal ? { signal: task.signal } : {};
}

/** Counts work, in forward passes of one batch, against what is foreseen. */
class WorkCounter {
  readonly #task: CalibrationTask;
  #total = 0;
  #done: number;

  constructor(task: CalibrationTask) {
    const { decoder, settings, checkpoint } = task;
    this.#task = task;
    const foreseen = this.expectRounds(checkpoint.state.rounds.length);
    this.#done = doneWork(decoder, settings, foreseen, checkpoint.state);
  }

  /** Foresees the work anew, where a quality budget allows more rounds than were guessed. */
  expectRounds(begun: number): ForeseenWork {
    const { decoder, settings, calibration, smallBatches, heldout } = this.#task;
    const foreseen = foreseenWork(decoder, settings, {
      rounds: foreseenRounds(decoder, settings, begun),
      batches: calibration.length,
      heldoutBatches: heldout.length,
      smallBatchShare: smallBatchShare(calibration, smallBatches),
    });
    this.#total = foreseen.total;
    return foreseen;
  }

  count(forwardPasses: number): void {
    this.#done += forwardPasses;
    this.#task.onEvent({ type: 'progress', done: Math.min(this.#done, this.#total), total: this.#total });
  }
}
