/**
 * A search at a small part of the published one's cost. What a block is worth shows only once the scales have made up
 * for it, and the first step of training already tells most of that: so each candidate takes one step on two rows and
 * is judged on a few others, and the best three train a little further before one is skipped. What decides is the
 * loss, and where that hardly differs the distance from the original's hidden states. Later rounds start from the
 * scales that the chosen block was left with, and try those blocks again that came near being chosen; what the scales
 * have learnt already to make up for each of them is kept.
 */
import type { BlockName } from '../../../schema/blocks.js';
import { throwIfCancelled } from '../../../schema/errors.js';
import { keepForNextRound, nearest } from './carried-over.js';
import { openForwardModel, type ForwardModel } from '../../loss/forward-model.js';
import { openGradientModel } from '../../loss/open-gradient-model.js';
import type { GradientModel } from '../../loss/gradient-model.js';
import { hiddenDistance, hiddenMatchFeeds } from '../../loss/hidden-match.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { keepOff, switchOff } from './off-blocks.js';
import { descend } from './polyak-descent.js';
import { addScales, copyScales, initialScales, restoreScales, type ScaleKey } from '../../decoder/scales.js';
import {
  GRADIENT_STEP_COST,
  requireConverged,
  smallBatchShare,
  type BlockSelector,
  type RoundContext,
  type SelectionContext,
  type SelectionStrategy,
} from './selection-strategy.js';
import {
  judgementOf,
  lossOf,
  recordTrials,
  type Judgement,
  type Target,
  type Training,
  type Trial,
} from './trial.js';

/** Small batches on which all blocks that are tried train (one step each), and on which they are then judged. */
const FIRST = { steps: 1, judged: 2 };
/** Small batches on which the best of the tried blocks train further, and on which they are then judged again. */
const FURTHER = { steps: 2, judged: 4 };
const SHORT_LIST = 3;
const TRIAL_BATCHES = FIRST.steps + FIRST.judged + FURTHER.steps + FURTHER.judged;
/** A few large steps, so larger than those of a whole epoch. */
const LEARNING_RATE_FACTOR = 4;
/** Weight of the distance from the original's hidden states beside the loss, in training. */
const DISTILLATION = 5;

/** Candidates that are tried in a round: all in the first, then those that came nearest. */
function triedInRound(candidates: number, round: number): number {
  return round === 0 ? candidates : Math.min(candidates, Math.max(4, Math.ceil(candidates / 4)));
}

/** Steps with which a round begins, before anything is tried: what is skipped already is to be made up for. */
function settlingSteps(round: number): number {
  return round === 0 ? 0 : 2;
}

export const fastSelection: SelectionStrategy = {
  name: 'fast',
  description: 'one training step for each block that comes into question, a few more for the best three',
  costOfRound: ({ candidates, smallBatchShare: share }, round) => {
    const tried = triedInRound(candidates, round);
    const short = Math.min(SHORT_LIST, tried);
    return (
      share *
      (TRIAL_BATCHES +
        settlingSteps(round) * (GRADIENT_STEP_COST + 1) +
        tried * (FIRST.steps * GRADIENT_STEP_COST + FIRST.judged) +
        short * (FURTHER.steps * GRADIENT_STEP_COST + FURTHER.judged))
    );
  },
  open: async (context) => {
    const options = {
      skipped: [],
      granularity: context.granularity,
      loss: context.loss,
      runOptions: context.runOptions,
    } as const;
    const gradientModel = await openGradientModel(context.decoder, { ...options, matchHidden: true });
    return new FastSelector(context, gradientModel, await openForwardModel(context.decoder, options));
  },
};

class FastSelector implements BlockSelector {
  readonly #context: SelectionContext;
  readonly #gradientModel: GradientModel;
  readonly #forwardModel: ForwardModel;
  /** Cost of a pass of a small batch, in passes of a batch. */
  readonly #smallPass: number;
  /** The original's loss and hidden states for the small batches of the round. */
  readonly #targets = new Map<LossBatch, Target>();

  constructor(context: SelectionContext, gradientModel: GradientModel, forwardModel: ForwardModel) {
    this.#context = context;
    this.#gradientModel = gradientModel;
    this.#forwardModel = forwardModel;
    this.#smallPass = smallBatchShare(context.batches, context.smallBatches);
  }

  async chooseBlock(round: RoundContext): Promise<BlockName> {
    const number = round.skipped.length;
    const batches = this.#batchesOfRound(number);
    const start = await this.#startingScales(round, batches.splice(0, settlingSteps(number)));
    const trials = nearest(round.candidates, round.earlier)
      .slice(0, triedInRound(round.candidates.length, number))
      .map((block) => this.#startTrial(block, round, start));
    for (const batch of batches.splice(0, FIRST.steps)) await this.#stepTrials(trials, batch, round);
    for (const batch of batches.splice(0, FIRST.judged)) await this.#judge(trials, batch);
    recordTrials(trials, round);
    const shortList = trials.toSorted((a, b) => lossOf(a) - lossOf(b)).slice(0, SHORT_LIST);
    // The loss that a step starts from judges as well as a pass of its own.
    for (const batch of batches.splice(0, FURTHER.steps)) {
      const before = await this.#stepTrials(shortList, batch, round);
      shortList.forEach((trial, index) => trial.judgements.push(before[index]!));
    }
    for (const batch of batches) await this.#judge(shortList, batch);
    recordTrials(shortList, round);
    const best = shortList.reduce((a, b) => (lossOf(b) < lossOf(a) ? b : a));
    requireConverged(lossOf(best));
    const left = round.candidates.length - 1;
    // Twice as many as are tried next: others may come nearer later.
    keepForNextRound(round, { trials, start, best, kept: 2 * triedInRound(left, number + 1) });
    this.#targets.clear();
    return best.block;
  }

  async release(): Promise<void> {
    await this.#gradientModel.release();
    await this.#forwardModel.release();
  }

  /** Small batches are used in turn, so that no round depends on the same few rows. */
  #batchesOfRound(number: number): LossBatch[] {
    const { smallBatches } = this.#context;
    const count = (round: number) => settlingSteps(round) + TRIAL_BATCHES;
    let first = 0;
    for (let round = 0; round < number; round += 1) first += count(round);
    return Array.from(
      { length: count(number) },
      (_, index) => smallBatches[(first + index) % smallBatches.length]!,
    );
  }

  /** Where the round before ended, the blocks chosen so far off, after a few steps without any candidate. */
  async #startingScales(
    { earlier, skipped }: RoundContext,
    batches: readonly LossBatch[],
  ): Promise<Map<ScaleKey, Float32Array>> {
    const scales = initialScales(this.#gradientModel.scaleSizes, this.#context.start);
    for (const [key, values] of restoreScales(earlier.at(-1)?.scales ?? {})) scales.set(key, values);
    for (const block of skipped) switchOff(this.#context.decoder, scales, block);
    for (const batch of batches) await this.#step([{ scales, off: skipped }], batch);
    return scales;
  }

  #startTrial(
    block: BlockName,
    { skipped, earlier }: RoundContext,
    start: ReadonlyMap<ScaleKey, Float32Array>,
  ): Trial {
    const scales = copyScales(start);
    const off = [...skipped, block];
    addScales(scales, restoreScales(earlier.at(-1)?.changes?.[block] ?? {}));
    for (const each of off) switchOff(this.#context.decoder, scales, each);
    return { block, off, scales, judgements: [] };
  }

  async #stepTrials(trials: readonly Trial[], batch: LossBatch, round: RoundContext): Promise<Judgement[]> {
    return await this.#step(trials, batch, (index) =>
      round.onCandidate(trials[index]!.block, { index, tries: trials.length }),
    );
  }

  /**
   * One step for each; the scales of blocks that are off stay as they are.
   * @returns what each came to on the batch before the step
   */
  async #step(
    trainings: readonly Training[],
    batch: LossBatch,
    onStart?: (training: number) => void,
  ): Promise<Judgement[]> {
    const { learningRate, signal, onWork } = this.#context;
    const target = await this.#target(batch);
    const match = hiddenMatchFeeds(batch, target.hidden, DISTILLATION);
    const before: Judgement[] = [];
    const runs = this.#gradientModel.runEach(trainings.map(({ scales }) => ({ batch, scales, match })));
    onStart?.(0);
    for await (const { loss, objective, gradients } of runs) {
      throwIfCancelled(signal);
      const { scales, off } = trainings[before.length]!;
      keepOff(this.#context.decoder, gradients, off);
      descend(scales, gradients, objective - target.loss, LEARNING_RATE_FACTOR * learningRate);
      before.push(judgementOf(loss, (objective - loss) / DISTILLATION, target));
      onWork(this.#smallPass * GRADIENT_STEP_COST);
      if (before.length < trainings.length) onStart?.(before.length);
    }
    return before;
  }

  async #judge(trials: readonly Trial[], batch: LossBatch): Promise<void> {
    const target = await this.#target(batch);
    const open = [...trials];
    const runs = this.#forwardModel.lossAndHiddenEach(trials.map(({ scales }) => ({ batch, scales })));
    for await (const { loss, hidden } of runs) {
      throwIfCancelled(this.#context.signal);
      open.shift()!.judgements.push(judgementOf(loss, hiddenDistance(batch, hidden, target.hidden), target));
      this.#context.onWork(this.#smallPass);
    }
  }

  /** The original is the model with all scales where they started. */
  async #target(batch: LossBatch): Promise<Target> {
    const kept = this.#targets.get(batch);
    if (kept) return kept;
    for await (const target of this.#forwardModel.lossAndHiddenEach([
      { batch, scales: this.#context.start ?? new Map() },
    ])) {
      this.#targets.set(batch, target);
    }
    this.#context.onWork(this.#smallPass);
    return this.#targets.get(batch)!;
  }
}
