/**
 * A search at a small part of the published one's cost, by racing. In each round all candidates are scored by forward
 * passes on a few rows; the better ones on more rows; the few that are left train their scales for some steps; the
 * lowest loss after that is skipped. Scales are carried over from round to round instead of starting from ones.
 */
import type { BlockName } from '../decoder/decoder.js';
import { throwIfCancelled } from '../errors.js';
import { Adam } from './adam.js';
import { openForwardModel, type ForwardModel } from './forward-model.js';
import { openGradientModel, type GradientModel } from './gradient-model.js';
import type { LossBatch } from './loss-batch.js';
import {
  copyScales,
  initialScales,
  restoreScales,
  saveScales,
  type ScaleKey,
  type Scales,
} from './scales.js';
import {
  DIVERGED,
  GRADIENT_STEP_COST,
  requireConverged,
  type BlockSelector,
  type RoundContext,
  type SelectionContext,
  type SelectionStrategy,
} from './selection-strategy.js';

/** Candidates left after the first scoring, and those that get training steps. */
const SECOND_LIST = 5;
const SHORT_LIST = 3;
/** Training steps of each candidate on the short list, a small batch each. */
const STEPS = 3;
/** Rows of a small batch as a share of a batch of the training. */
const SMALL_BATCH = 0.5;

export const fastSelection: SelectionStrategy = {
  name: 'fast',
  description: 'a race: all blocks are scored on a few rows, the best get more rows and then training steps',
  costOfRound: (candidates) => {
    const second = Math.min(SECOND_LIST, candidates);
    const short = Math.min(SHORT_LIST, candidates);
    return SMALL_BATCH * (candidates + second + short * (STEPS * GRADIENT_STEP_COST + 1));
  },
  open: async (context) => {
    const options = {
      skipped: [],
      granularity: 'scalar',
      ...(context.session ? { session: context.session } : {}),
    } as const;
    const gradientModel = await openGradientModel(context.decoder, options);
    return new FastSelector(context, gradientModel, await openForwardModel(context.decoder, options));
  },
};

class FastSelector implements BlockSelector {
  readonly #context: SelectionContext;
  readonly #gradientModel: GradientModel;
  readonly #forwardModel: ForwardModel;

  constructor(context: SelectionContext, gradientModel: GradientModel, forwardModel: ForwardModel) {
    this.#context = context;
    this.#gradientModel = gradientModel;
    this.#forwardModel = forwardModel;
  }

  async chooseBlock(round: RoundContext): Promise<BlockName> {
    const carried = this.#startingScales(round);
    const number = round.skipped.length;
    const first = await this.#score(round.candidates, carried, this.#smallBatch(number * 4), round);
    const better = first.slice(0, SECOND_LIST);
    const second = await this.#score(
      better.map(({ block }) => block),
      carried,
      this.#smallBatch(number * 4 + 1),
      round,
    );
    const sums = second.map(({ block, loss }) => ({
      block,
      loss: loss + better.find((candidate) => candidate.block === block)!.loss,
    }));
    const shortList = sums.toSorted((a, b) => a.loss - b.loss).slice(0, SHORT_LIST);
    let best: { block: BlockName; loss: number; scales: Scales } | undefined;
    for (const { block } of shortList) {
      round.onCandidate(block);
      const tried = await this.#train(block, carried, number);
      round.recordLoss(block, tried.loss);
      if (!best || tried.loss < best.loss) best = { block, ...tried };
    }
    requireConverged(best!.loss);
    round.round.scales = saveScales(best!.scales);
    return best!.block;
  }

  async release(): Promise<void> {
    await this.#gradientModel.release();
    await this.#forwardModel.release();
  }

  /** Where the round before ended, the blocks chosen so far off. */
  #startingScales({ before, skipped }: RoundContext): Map<ScaleKey, Float32Array> {
    const scales = initialScales(this.#gradientModel.scaleSizes);
    for (const [key, values] of restoreScales(before?.scales ?? {})) scales.set(key, values);
    for (const block of skipped) this.#switchOff(scales, block);
    return scales;
  }

  #switchOff(scales: Map<ScaleKey, Float32Array>, block: BlockName): void {
    scales.get(`branch ${block}`)!.fill(0);
    if (!this.#gradientModel.sharesResidual(block)) scales.get(`residual ${block}`)!.fill(1);
  }

  /** Small batches are used in turn, so that no round depends on the same few rows. */
  #smallBatch(index: number): LossBatch {
    const { smallBatches } = this.#context;
    return smallBatches[index % smallBatches.length]!;
  }

  /** Losses of the batch with each candidate off, the lowest first. */
  async #score(
    candidates: readonly BlockName[],
    carried: Scales,
    batch: LossBatch,
    round: RoundContext,
  ): Promise<{ block: BlockName; loss: number }[]> {
    const scored: { block: BlockName; loss: number }[] = [];
    const runs = candidates.map((block) => {
      const scales = copyScales(carried);
      this.#switchOff(scales, block);
      return { batch, scales };
    });
    round.onCandidate(candidates[0]!);
    for await (const { loss } of this.#forwardModel.runEach(runs)) {
      throwIfCancelled(this.#context.signal);
      scored.push({ block: candidates[scored.length]!, loss: Number.isFinite(loss) ? loss : DIVERGED });
      this.#context.onWork(SMALL_BATCH);
      const next = candidates[scored.length];
      if (next) round.onCandidate(next);
    }
    return scored.toSorted((a, b) => a.loss - b.loss);
  }

  /** Some steps of Adam with the candidate off, and the loss after them on rows that they have not seen. */
  async #train(block: BlockName, carried: Scales, number: number): Promise<{ loss: number; scales: Scales }> {
    const { learningRate, signal, onWork } = this.#context;
    const scales = copyScales(carried);
    this.#switchOff(scales, block);
    const off = [...scales].filter(
      ([key, values]) => key.startsWith('branch') && values.every((value) => value === 0),
    );
    const frozen = new Set(off.map(([key]) => key.slice('branch '.length) as BlockName));
    const adam = new Adam();
    for (let step = 0; step < STEPS; step += 1) {
      throwIfCancelled(signal);
      const { gradients } = await this.#gradientModel.run(this.#smallBatch(number * 4 + 2 + step), scales);
      for (const skipped of frozen) {
        gradients.delete(`branch ${skipped}`);
        if (!this.#gradientModel.sharesResidual(skipped)) gradients.delete(`residual ${skipped}`);
      }
      adam.update(scales, gradients, learningRate);
      onWork(SMALL_BATCH * GRADIENT_STEP_COST);
    }
    const { loss } = await this.#forwardModel.run(this.#smallBatch(number * 4 + 2 + STEPS), scales);
    onWork(SMALL_BATCH);
    return { loss: Number.isFinite(loss) ? loss : DIVERGED, scales };
  }
}
