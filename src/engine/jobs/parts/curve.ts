/** Selection and training together: finds the blocks, trains the points that are asked for, measures each of them. */
import type { BlockName } from '../../../schema/blocks.js';
import {
  qualityShare,
  type CurvePoint,
  type HeldoutQuality,
  type QualityMeasure,
} from '../../../schema/report.js';
import { ImpossibleError } from '../../../schema/errors.js';
import { selectBlocks, selectionStrategy } from '../../calibrate/select/select-blocks.js';
import type { TrialRows } from '../../calibrate/select/selection-strategy.js';
import type { TrainedScales } from '../../calibrate/train/train-scales.js';
import { restoreScales, withoutOffsets } from '../../decoder/scales.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { budgetInBlocks } from './budget.js';
import { measureOriginal } from './original.js';
import { trainAndMeasure, type MeasuredPoint, type PointTask } from './point.js';
import { blockKinds } from './settings.js';
import { WorkCounter } from './work-counter.js';

export interface CalibrationTask extends Omit<PointTask, 'onWork'> {
  /** The calibration rows in small batches. */
  smallBatches: readonly LossBatch[];
  /** Some of the calibration rows, for trials of choices. */
  trialRows: TrialRows;
  /** The figure that a quality budget looks at, if the original has it. */
  qualityMeasure: QualityMeasure;
  /** Called when the original has been measured, before anything is skipped. */
  onOriginal?(original: OriginalFigures): void;
  /** Called whenever a point of the curve has been measured; with the seconds it took, where nothing of it was there. */
  onPoint(point: CurvePoint, seconds?: number): void;
}

export interface OriginalFigures {
  quality: HeldoutQuality;
  /** With trained scales and nothing skipped, where the file's answers are learnt: what skipping is to be held against. */
  trained: HeldoutQuality | undefined;
  measure: QualityMeasure;
}

export interface CalibrationResult {
  original: HeldoutQuality;
  points: CurvePoint[];
  /** The point of the budget. */
  chosen: TrainedScales;
}

/** @throws CancelledError if stopped; all finished candidates and epochs are in the checkpoint */
export async function calibrate(task: CalibrationTask): Promise<CalibrationResult> {
  const work = new WorkCounter(task);
  const onWork = (forwardPasses: number) => work.count(forwardPasses);
  const { reference } = task;
  const { quality, kept } = await measureOriginal({
    ...task,
    onWork,
    learners: [
      ...task.calibration,
      ...task.smallBatches,
      ...task.training,
      ...Object.values(task.trialRows).flat(),
      ...task.heldout,
    ],
  });
  const pointTask = { ...task, kept, onWork };
  const learnsAnswers = task.loss === 'cross-entropy';
  const trained = learnsAnswers
    ? (await trainAndMeasure({ ...pointTask, ...reference }, [], quality)).point.withScales
    : undefined;
  const measure = meaningfulMeasure(trained ?? quality, task.qualityMeasure);
  task.onOriginal?.({ quality, trained, measure });

  const curve = new Curve(pointTask, task.onPoint);
  const isCut = reference.decoder !== task.decoder;
  // Where the search starts from.
  if (learnsAnswers && isCut) await curve.at([]);
  const { budget } = task.settings;
  const isGoodEnough = async (skipped: readonly BlockName[], largestDrop: number) => {
    const { point } = await curve.at(skipped);
    return (
      qualityShare(point.withScales!, measure) >=
      qualityShare(trained ?? quality, measure) * (1 - largestDrop)
    );
  };
  if (budget.kind === 'quality') requireQuality(trained ?? quality, measure);
  const most = budgetInBlocks(task.decoder, task.settings);
  if (most === 0) {
    const { trained: chosen } = await curve.at([]);
    return { original: quality, points: curve.points, chosen };
  }
  const blocks = await selectBlocks(
    {
      decoder: task.decoder,
      batches: task.calibration,
      smallBatches: task.smallBatches,
      trialRows: task.trialRows,
      granularity: withoutOffsets(task.settings.scales),
      loss: task.loss,
      start: startOfSearch(task),
      seed: task.settings.seed,
      learningRate: task.settings.selectionLearningRate,
      runOptions: task.runOptions,
      signal: task.signal,
      onWork,
    },
    {
      strategy: selectionStrategy(task.settings.strategy),
      kinds: blockKinds(task.settings),
      budget: most,
      ...(budget.kind === 'quality' && {
        goOn: async (skipped: readonly BlockName[]) => {
          work.expectRounds(skipped.length + 1);
          // Few points are trained: at 1, 2, 4, 8... blocks, and below between the last two of them.
          return !isPowerOfTwo(skipped.length) || (await isGoodEnough(skipped, budget.largestDrop));
        },
      }),
    },
    task.checkpoint,
    task.onEvent,
  );

  const last =
    budget.kind === 'quality'
      ? await largestGood(blocks, (skipped) => isGoodEnough(skipped, budget.largestDrop))
      : blocks.length;
  if (last === 0) {
    const largestDrop = budget.kind === 'quality' ? budget.largestDrop : 0;
    throw new ImpossibleError(
      `No block can be skipped within a loss of ${(largestDrop * 100).toFixed(1)} % of the held-out quality; allow a larger loss, or ask for a number of blocks to see what it costs.`,
    );
  }
  const chosen = await curve.at(blocks.slice(0, last));
  if (task.settings.trainPoints === 'all') {
    for (let count = last - 1; count > (isCut ? -1 : 0); count -= 1) await curve.at(blocks.slice(0, count));
  }
  return { original: quality, points: curve.points, chosen: chosen.trained };
}

/** The points measured so far. */
class Curve {
  readonly #task: PointTask;
  readonly #onPoint: CalibrationTask['onPoint'];
  readonly #measured = new Map<number, MeasuredPoint>();

  constructor(task: PointTask, onPoint: CalibrationTask['onPoint']) {
    this.#task = task;
    this.#onPoint = onPoint;
  }

  async at(skipped: readonly BlockName[]): Promise<MeasuredPoint> {
    const known = this.#measured.get(skipped.length);
    if (known) return known;
    const isNew = this.#task.checkpoint.state.training[String(skipped.length)] === undefined;
    const started = performance.now();
    const measured = await trainAndMeasure(this.#task, skipped);
    this.#measured.set(skipped.length, measured);
    this.#onPoint(measured.point, isNew ? (performance.now() - started) / 1000 : undefined);
    return measured;
  }

  get points(): CurvePoint[] {
    return [...this.#measured.values()]
      .map(({ point }) => point)
      .toSorted((a, b) => a.skipped.length - b.skipped.length);
  }
}

/** Whole answers say nothing where hardly any is right before a block is skipped: then single tokens decide. */
function meaningfulMeasure(base: HeldoutQuality, wanted: QualityMeasure): QualityMeasure {
  const LEAST = 0.05;
  return wanted === 'answers' && qualityShare(base, 'answers') < LEAST ? 'tokens' : wanted;
}

/** @throws ImpossibleError where there is no quality that could be kept */
function requireQuality(base: HeldoutQuality, measure: QualityMeasure): void {
  if (qualityShare(base, measure) > 0) return;
  throw new ImpossibleError(
    "The original predicts none of the held-out answers' tokens, so a share of its quality means nothing; ask for a number of blocks, or learn from the model's own answers.",
    { inCommands: '--budget NUMBER, or --responses own' },
  );
}

/** Scales that make the original write the file's answers: a block that is in the way of their form is not idle. */
function startOfSearch({ loss, checkpoint }: CalibrationTask) {
  const saved = loss === 'cross-entropy' ? checkpoint.state.training['0'] : undefined;
  return saved && restoreScales(saved.best.scales);
}

function isPowerOfTwo(count: number): boolean {
  return (count & (count - 1)) === 0;
}

/** The most blocks of those found that can be skipped, by bisection: more blocks are taken to be worse. */
async function largestGood(
  blocks: readonly BlockName[],
  isGood: (skipped: readonly BlockName[]) => Promise<boolean>,
): Promise<number> {
  let good = 2 ** Math.floor(Math.log2(Math.max(1, blocks.length - 1)));
  if (blocks.length <= 1 || !(await isGood(blocks.slice(0, good)))) good = 0;
  let bad = blocks.length + 1;
  while (bad - good > 1) {
    const middle = good === 0 ? Math.max(1, bad >> 1) : (good + bad) >> 1;
    if (await isGood(blocks.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}
