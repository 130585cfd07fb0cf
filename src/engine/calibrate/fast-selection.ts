/**
 * A search at a small part of the published one's cost. What a block is worth shows only once the scales have made up
 * for it, and the first step of training already tells most of that: so each candidate takes one step of Adam on a few
 * rows and is judged on a few others, and the best two train a little further before one is skipped. What decides is
 * the loss and the distance from the original's hidden states, which does not depend on the luck of a few answers.
 * Later rounds start from the scales that the chosen block was left with, and try those blocks again that came near
 * being chosen.
 */
import type { BlockName } from '../decoder/decoder.js';
import { throwIfCancelled } from '../errors.js';
import { Adam } from './adam.js';
import type { SelectionRound } from './checkpoint.js';
import { openForwardModel, type ForwardModel } from './forward-model.js';
import { openGradientModel, type GradientModel } from './gradient-model.js';
import { hiddenDistance, hiddenMatchFeeds } from './hidden-match.js';
import type { LossBatch } from './loss-batch.js';
import { copyScales, initialScales, restoreScales, saveScales, type ScaleKey } from './scales.js';
import {
  DIVERGED,
  GRADIENT_STEP_COST,
  requireConverged,
  type BlockSelector,
  type RoundContext,
  type SelectionContext,
  type SelectionStrategy,
} from './selection-strategy.js';

/** Rows of a small batch as a share of a batch of the training. */
const SMALL_BATCH = 0.25;
/** Candidates that train further, and the small batches that they then train on and are judged on. */
const SHORT_LIST = 2;
const FURTHER_STEPS = 2;
const FURTHER_JUDGED = 2;
/** Small batches of a round for trying: the first step's, the one that it is judged on, and those of the short list. */
const TRIAL_BATCHES = 2 + FURTHER_STEPS + FURTHER_JUDGED;
/** A few large steps, so larger than those of a whole epoch. */
const LEARNING_RATE_FACTOR = 2;
/** Weights of the distance from the original's hidden states beside the loss, in training and in judging. */
const DISTILLATION = 5;
const DISTANCE_WEIGHT = 0.5;

/** Candidates that are tried in a round: all in the first, then those that came nearest. */
function triedInRound(candidates: number, round: number): number {
  return round === 0 ? candidates : Math.min(candidates, Math.max(4, Math.ceil(candidates / 4)));
}

/** Steps with which a round begins, before anything is tried: the more is skipped, the more is to be made up for. */
function settlingSteps(round: number): number {
  return Math.max(0, round - 1);
}

export const fastSelection: SelectionStrategy = {
  name: 'fast',
  description: 'one training step for each block that comes into question, a few more for the best two',
  costOfRound: (candidates, _batches, round) => {
    const tried = triedInRound(candidates, round);
    const short = Math.min(SHORT_LIST, tried);
    return (
      SMALL_BATCH *
      (TRIAL_BATCHES +
        settlingSteps(round) * (GRADIENT_STEP_COST + 1) +
        tried * (GRADIENT_STEP_COST + 1) +
        short * (FURTHER_STEPS * GRADIENT_STEP_COST + FURTHER_JUDGED))
    );
  },
  open: async (context) => {
    const options = {
      skipped: [],
      granularity: context.granularity,
      ...(context.session ? { session: context.session } : {}),
    } as const;
    const gradientModel = await openGradientModel(context.decoder, { ...options, matchHidden: true });
    return new FastSelector(context, gradientModel, await openForwardModel(context.decoder, options));
  },
};

/** What the original gives for a batch. */
interface Target {
  loss: number;
  hidden: Float32Array;
}

/** Scales in training with some blocks off. */
interface Training {
  scales: Map<ScaleKey, Float32Array>;
  adam: Adam;
  off: readonly BlockName[];
}

/** A candidate in training: off with the blocks chosen before. */
interface Trial extends Training {
  block: BlockName;
  /** What decides: the loss and the distance from the original together. */
  loss: number;
}

class FastSelector implements BlockSelector {
  readonly #context: SelectionContext;
  readonly #gradientModel: GradientModel;
  readonly #forwardModel: ForwardModel;
  /** The original's loss and hidden states for the small batches of the round. */
  readonly #targets = new Map<LossBatch, Target>();

  constructor(context: SelectionContext, gradientModel: GradientModel, forwardModel: ForwardModel) {
    this.#context = context;
    this.#gradientModel = gradientModel;
    this.#forwardModel = forwardModel;
  }

  async chooseBlock(round: RoundContext): Promise<BlockName> {
    const number = round.skipped.length;
    const [first, judge, ...others] = this.#batchesOfRound(number);
    const further = others.slice(0, FURTHER_STEPS + FURTHER_JUDGED);
    const carried = await this.#startingScales(round, others.slice(FURTHER_STEPS + FURTHER_JUDGED));
    const trials = nearest(round)
      .slice(0, triedInRound(round.candidates.length, number))
      .map((block) => this.#startTrial(block, round.skipped, carried));
    await this.#step(trials, first!, (index) => round.onCandidate(trials[index]!.block));
    await this.#judge(trials, round, [judge!]);
    const shortList = trials.toSorted((a, b) => a.loss - b.loss).slice(0, SHORT_LIST);
    for (const batch of further.slice(0, FURTHER_STEPS)) {
      await this.#step(shortList, batch, (index) => round.onCandidate(shortList[index]!.block));
    }
    await this.#judge(shortList, round, further.slice(FURTHER_STEPS));
    const best = shortList.reduce((a, b) => (b.loss < a.loss ? b : a));
    requireConverged(best.loss);
    round.round.scales = saveScales(best.scales);
    // Only the latest are started from; a checkpoint need not write all of them again each time.
    delete round.earlier.at(-1)?.scales;
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
    const count = (round: number) => TRIAL_BATCHES + settlingSteps(round);
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
    const scales = initialScales(this.#gradientModel.scaleSizes);
    for (const [key, values] of restoreScales(earlier.at(-1)?.scales ?? {})) scales.set(key, values);
    for (const block of skipped) this.#switchOff(scales, block);
    const settling = { scales, adam: new Adam(), off: skipped };
    for (const batch of batches) await this.#step([settling], batch);
    return scales;
  }

  #startTrial(
    block: BlockName,
    skipped: readonly BlockName[],
    carried: ReadonlyMap<ScaleKey, Float32Array>,
  ): Trial {
    const scales = copyScales(carried);
    this.#switchOff(scales, block);
    return { block, off: [...skipped, block], scales, adam: new Adam(), loss: DIVERGED };
  }

  #switchOff(scales: Map<ScaleKey, Float32Array>, block: BlockName): void {
    scales.get(`branch ${block}`)!.fill(0);
    if (!this.#gradientModel.sharesResidual(block)) scales.get(`residual ${block}`)!.fill(1);
  }

  /** One step of Adam for each; the scales of blocks that are off stay as they are. */
  async #step(
    trainings: readonly Training[],
    batch: LossBatch,
    onStart?: (training: number) => void,
  ): Promise<void> {
    const { learningRate, signal, onWork } = this.#context;
    const { hidden } = await this.#target(batch);
    const match = hiddenMatchFeeds(batch, hidden, DISTILLATION);
    const runs = this.#gradientModel.runEach(trainings.map(({ scales }) => ({ batch, scales, match })));
    let index = 0;
    onStart?.(index);
    for await (const { gradients } of runs) {
      throwIfCancelled(signal);
      const { scales, adam, off } = trainings[index]!;
      for (const block of off) {
        gradients.delete(`branch ${block}`);
        if (!this.#gradientModel.sharesResidual(block)) gradients.delete(`residual ${block}`);
      }
      adam.update(scales, gradients, LEARNING_RATE_FACTOR * learningRate);
      onWork(SMALL_BATCH * GRADIENT_STEP_COST);
      index += 1;
      if (index < trainings.length) onStart?.(index);
    }
  }

  async #judge(
    trials: readonly Trial[],
    { recordLoss }: RoundContext,
    batches: readonly LossBatch[],
  ): Promise<void> {
    const totals = new Map(trials.map((trial) => [trial, { judged: 0, rise: 0 }]));
    for (const batch of batches) {
      const target = await this.#target(batch);
      const open = [...trials];
      const runs = this.#forwardModel.lossAndHiddenEach(trials.map(({ scales }) => ({ batch, scales })));
      for await (const { loss, hidden } of runs) {
        throwIfCancelled(this.#context.signal);
        const trial = open.shift()!;
        const total = totals.get(trial)!;
        const judged = loss + DISTANCE_WEIGHT * hiddenDistance(batch, hidden, target.hidden);
        total.judged += judged / batches.length;
        total.rise += (loss - target.loss) / batches.length;
        this.#context.onWork(SMALL_BATCH);
      }
    }
    for (const [trial, { judged, rise }] of totals) {
      trial.loss = Number.isFinite(judged) ? judged : DIVERGED;
      recordLoss(trial.block, trial.loss, Number.isFinite(rise) ? rise : undefined);
    }
  }

  /** The original is the model with all scales where they started. */
  async #target(batch: LossBatch): Promise<Target> {
    const kept = this.#targets.get(batch);
    if (kept) return kept;
    for await (const target of this.#forwardModel.lossAndHiddenEach([{ batch, scales: new Map() }])) {
      this.#targets.set(batch, target);
    }
    this.#context.onWork(SMALL_BATCH);
    return this.#targets.get(batch)!;
  }
}

/** Candidates by how near they came to being chosen when they were last tried; those never tried in front. */
function nearest({ candidates, earlier }: RoundContext): BlockName[] {
  const distance = (block: BlockName) => {
    const last = earlier.findLast((round) => round.losses[block] !== undefined);
    return last ? last.losses[block]! - lossOfChosen(last) : -Infinity;
  };
  return candidates.toSorted((a, b) => distance(a) - distance(b));
}

function lossOfChosen({ losses, chosen }: SelectionRound): number {
  return losses[chosen!] ?? 0;
}
