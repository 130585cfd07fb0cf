/** A point of the curve: its scales trained, and what they come to on the held-out rows. */
import type { BlockName } from '../../../schema/blocks.js';
import type { JobListener } from '../../../schema/events.js';
import type { CurvePoint, HeldoutQuality } from '../../../schema/report.js';
import type { JobSettings, LossKind } from '../../../schema/settings.js';
import type { Checkpoint } from '../../calibrate/checkpoint.js';
import { trainScales, type TrainedScales } from '../../calibrate/train/train-scales.js';
import type { Decoder } from '../../decoder/decoder.js';
import { restoreScales, type Scales } from '../../decoder/scales.js';
import { heldoutQualities } from '../../evaluate/heldout-quality.js';
import { openForwardModel } from '../../loss/forward-model.js';
import type { KeptStream } from '../../loss/kept-stream.js';
import { rowsIn, type LossBatch } from '../../loss/loss-batch.js';
import type { RunOptions } from '../../runtime/session.js';
import { epochRows } from './batches.js';
import type { Reference } from './original.js';
import { inBatches } from './work.js';
import { trainingSettings } from './settings.js';

export interface PointTask {
  /** What blocks are skipped from. */
  decoder: Decoder;
  /** What it is held against. */
  reference: Reference;
  calibration: readonly LossBatch[];
  /** The calibration rows in the batches of the final training. */
  training: readonly LossBatch[];
  heldout: readonly LossBatch[];
  /** What the reference's last layer gave for rows, where that is kept. */
  kept?: KeptStream | undefined;
  /** What is learnt and judged by; batches for a divergence have targets. */
  loss: LossKind;
  settings: JobSettings;
  runOptions: RunOptions;
  checkpoint: Checkpoint;
  signal: AbortSignal | undefined;
  onEvent: JobListener;
  /** Called after each piece of work, with its cost in forward passes of one calibration batch. */
  onWork(forwardPasses: number): void;
}

export interface MeasuredPoint {
  point: CurvePoint;
  trained: TrainedScales;
}

/**
 * Trains from the nearest point that is trained already, and measures. What the checkpoint holds is not computed again.
 * @param known figures without scales, where they are measured already
 * @throws CancelledError if stopped; all finished epochs are in the checkpoint
 */
export async function trainAndMeasure(
  task: PointTask,
  skipped: readonly BlockName[],
  known?: HeldoutQuality,
): Promise<MeasuredPoint> {
  const settings = trainingSettings(task.settings, task.decoder.hiddenSize);
  const share = task.calibration.length / task.training.length;
  const judging = epochRows(task.heldout);
  const trained = await trainScales(
    {
      ...task,
      heldout: judging,
      batches: task.training,
      start: startingScales(task.checkpoint, skipped),
      onWork: (forwardPasses) => task.onWork(forwardPasses * share),
      // As foreseen, when it is not known how many rows will judge.
      onHeldout: (rows) =>
        task.onWork(inBatches((rows * rowsIn(task.heldout)) / rowsIn(judging), task.calibration)),
    },
    skipped,
    settings,
    task.checkpoint,
    task.onEvent,
  );
  const open = (decoder: Decoder, blocks: readonly BlockName[]) =>
    openForwardModel(decoder, {
      skipped: blocks,
      granularity: settings.granularity,
      runOptions: task.runOptions,
    });
  const original = { model: await open(task.reference.decoder, []), scales: new Map(), kept: task.kept };
  const slimmed = await open(task.decoder, skipped);
  try {
    const [withScales, withoutScales] = await heldoutQualities(
      slimmed,
      known ? [trained] : [trained, { scales: new Map() }],
      task.heldout,
      {
        original,
        originalBatches: task.reference.heldout,
        onPass: (rows) => task.onWork(inBatches(rows, task.calibration)),
        ...(task.signal ? { signal: task.signal } : {}),
      },
    );
    const point: CurvePoint = {
      skipped: [...skipped],
      withoutScales: known ?? withoutScales!,
      withScales: withScales!,
      selectionLoss: task.checkpoint.state.rounds[skipped.length - 1]?.losses[skipped.at(-1)!],
      training: { epochs: [...trained.epochs], bestEpoch: trained.bestEpoch },
    };
    return { point, trained };
  } finally {
    await original.model.release();
    await slimmed.release();
  }
}

/** What the contest of choices has trained for these blocks, or the nearest trained point. */
function startingScales(checkpoint: Checkpoint, skipped: readonly BlockName[]): Scales | undefined {
  const contest = checkpoint.state.rounds[0]?.contest;
  if (contest?.blocks === skipped.length && contest.scales) return restoreScales(contest.scales);
  return nearestTrained(checkpoint, skipped.length);
}

/** Scales of the trained point that skips the nearest number of blocks, of which the others are a part or the whole. */
function nearestTrained({ state }: Checkpoint, blocks: number): Scales | undefined {
  const [nearest] = Object.entries(state.training)
    .flatMap(([count, { finished, best }]) =>
      finished && Number(count) !== blocks ? [{ distance: Math.abs(Number(count) - blocks), best }] : [],
    )
    .toSorted((a, b) => a.distance - b.distance);
  return nearest && restoreScales(nearest.best.scales);
}
