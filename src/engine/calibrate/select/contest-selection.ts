/**
 * Several choices of blocks, each trained a little; rows that none of them was made from decide. No ranking is best on
 * every task: which blocks may go shows only when the scales have made up for them (docs/decisions/018).
 */
import type { BlockName } from '../../../schema/blocks.js';
import { copyScales, initialScales, saveScales, type ScaleKey } from '../../decoder/scales.js';
import { openGradientModel } from '../../loss/open-gradient-model.js';
import type { GradientModel } from '../../loss/gradient-model.js';
import { rateForWidth } from '../train/train-scales.js';
import { trainBriefly } from './brief-training.js';
import { candidateBlocks } from './candidates.js';
import { switchOff } from './off-blocks.js';
import {
  GRADIENT_STEP_COST,
  finite,
  requireConverged,
  type BlockSelector,
  type RoundContext,
  type RoundSize,
  type SearchContext,
  type SelectionStrategy,
} from './selection-strategy.js';
import { JUDGED_SHARE, SkipLosses } from './skip-losses.js';
import { measureSimilarity } from './stream-similarity.js';
import { judgingByDivergence } from './judged-targets.js';
import { NEAREST, orderOneByOne } from './order-one-by-one.js';

/** Rate of the steps that make up for a block in the chain, and of those before a choice is judged. */
const RECOVERY_RATE = 0.01;
const RECOVERY_STEPS = 2;
const TRIAL_RATE = 0.005;
/** Rows that judge trained choices as a share of all calibration rows. */
const VALIDATION_SHARE = 0.25;
/** What is left of the loss by steps that hardly helped, or not. */
const HARDLY_LOWER = 0.9;

export const contestSelection: SelectionStrategy = {
  name: 'contest',
  description: 'trains several choices a little, the baselines among them; rows kept apart decide',
  costOfRound: (size, round) => {
    if (round > 0) return 0;
    const { batches, candidates, contested, loss } = size;
    const learnsAnswers = loss === 'cross-entropy';
    const alone = (JUDGED_SHARE * 0.5 * (candidates + furtherTried(size))) / 2;
    const further = (contested - 1) * JUDGED_SHARE * (1 + 0.5 * NEAREST);
    const chain = further + (contested * RECOVERY_STEPS * GRADIENT_STEP_COST) / batches;
    const greedy = JUDGED_SHARE + alone + further;
    const rankings =
      JUDGED_SHARE +
      alone +
      (needsChain(size) ? chain : 0) +
      (learnsAnswers ? 2 * VALIDATION_SHARE : 0) +
      (needsChain(size) && learnsAnswers ? greedy : 0);
    const trial = 0.5 * (1 - VALIDATION_SHARE) * GRADIENT_STEP_COST + VALIDATION_SHARE;
    return batches * (rankings + (learnsAnswers ? 4 : 3) * trial);
  },
  open: async (context) =>
    new ContestSelector(
      context,
      await openGradientModel(context.decoder, {
        skipped: [],
        granularity: context.granularity,
        loss: context.loss,
        runOptions: context.runOptions,
      }),
    ),
};

/**
 * Orders one by one are the dearest. Where the original's own answers are kept, blocks cost nearly alone what they cost
 * together, unless many of them go.
 */
function needsChain({
  contested,
  loss,
  candidates,
}: Pick<RoundSize, 'contested' | 'loss' | 'candidates'>): boolean {
  return contested > 1 && (loss === 'cross-entropy' || contested >= candidates / 3);
}

/**
 * Blocks of which the earlier half of the judged rows does not yet say that they are none of the contested. With
 * nothing left out a divergence is 0 on any rows, so that halves of them compare; a loss of the file's answers is not.
 */
function furtherTried({
  contested,
  loss,
  candidates,
}: Pick<RoundSize, 'contested' | 'loss' | 'candidates'>): number {
  return loss === 'divergence' ? Math.min(candidates, Math.max(2 * contested, contested + 4)) : candidates;
}

/** Blocks, the first to go first. */
type Order = BlockName[];

class ContestSelector implements BlockSelector {
  readonly #context: SearchContext;
  readonly #gradientModel: GradientModel;
  /** Scales that all choices begin from. */
  #start: ReadonlyMap<ScaleKey, Float32Array>;

  constructor(context: SearchContext, gradientModel: GradientModel) {
    this.#context = context;
    this.#gradientModel = gradientModel;
    this.#start = initialScales(gradientModel.scaleSizes, context.start);
  }

  async chooseBlock(round: RoundContext): Promise<BlockName> {
    const first = round.earlier[0] ?? round.round;
    first.contest ??= { blocks: 0, orders: {}, losses: {} };
    const order = (first.contest.order ??= await this.#winner(round));
    return order.find((block) => round.candidates.includes(block))!;
  }

  async release(): Promise<void> {
    await this.#gradientModel.release();
  }

  async #winner(round: RoundContext): Promise<Order> {
    const contest = round.round.contest!;
    contest.blocks = this.#context.contested;
    const losses = await SkipLosses.open(this.#context);
    try {
      await this.#addOrders(round, losses);
      const choices = distinct(contest.orders, (order) => this.#choiceOf(order));
      if (choices.length === 1 && this.#context.start) contest.scales ??= saveScales(this.#start);
      for (const [index, [name, blocks]] of choices.entries()) {
        if (choices.length === 1 || contest.losses[name] !== undefined) continue;
        round.onChoice(blocks, index, choices.length);
        await this.#judge(name, blocks, round, losses);
      }
      const judged = (name: string) => contest.losses[name] ?? 0;
      const [winner] = choices.reduce((a, b) => (judged(b[0]) < judged(a[0]) ? b : a));
      if (choices.length > 1) requireConverged(judged(winner));
      contest.winner = winner;
      return contest.orders[winner]! as Order;
    } finally {
      await losses.release();
    }
  }

  /** The choices: by the stream's turn, by what each block costs alone, and by what they cost one after the other. */
  async #addOrders(
    { round, candidates, recordLoss, keep, onCandidate }: RoundContext,
    losses: SkipLosses,
  ): Promise<void> {
    const { orders } = round.contest!;
    const { decoder, batches, loss, runOptions, onWork, trialRows } = this.#context;
    if (!orders.cosine) {
      const { judged } = trialRows;
      const similarity = await measureSimilarity(decoder, judged, runOptions, () =>
        onWork((JUDGED_SHARE * batches.length) / judged.length),
      );
      const by = (value: (block: BlockName) => number): Order =>
        candidates.toSorted((a, b) => value(b) - value(a));
      orders.cosine = by((block) => similarity.byBlock.get(block)!);
      if (loss === 'cross-entropy') {
        orders['block-influence'] = by((block) => similarity.layers.get(Number(block.split(' ')[1]))!);
      }
      keep();
    }
    if (this.#context.start) this.#start = await this.#betterStart(orders.cosine as Order, losses);
    if (!orders.alone) {
      const goOn = furtherTried({ ...this.#context, candidates: candidates.length });
      const alone = await losses.without(this.#start, candidates, onCandidate, goOn);
      const base = await losses.of(this.#start);
      for (const block of candidates) recordLoss(block, alone.get(block)!, finite(alone.get(block)! - base));
      orders.alone = [...alone.keys()];
    }
    if (!needsChain({ ...this.#context, candidates: candidates.length })) return;
    const shared = { context: this.#context, start: this.#start, onCandidate };
    if (!orders.chain) {
      orders.chain = await orderOneByOne({
        ...shared,
        losses,
        rises: new Map(candidates.map((block) => [block, round.rises![block]!])),
        recover: async (scales, off) => await this.#recover(scales, off),
      });
      keep();
    }
    if (!orders.greedy && loss === 'cross-entropy') {
      const divergences = await SkipLosses.open(await judgingByDivergence(this.#context, this.#start));
      try {
        orders.greedy = await orderOneByOne({ ...shared, losses: divergences });
      } finally {
        await divergences.release();
      }
      keep();
    }
  }

  /**
   * Scales that were trained with nothing skipped teach the form of the file's answers; where the original knows it
   * already, they may only have come to rely on what goes.
   */
  async #betterStart(order: Order, losses: SkipLosses): Promise<ReadonlyMap<ScaleKey, Float32Array>> {
    const { decoder, trialRows } = this.#context;
    const starts = [this.#start, initialScales(this.#gradientModel.scaleSizes)];
    const without: number[] = [];
    for (const start of starts) {
      const scales = copyScales(start);
      for (const block of this.#choiceOf(order)) switchOff(decoder, scales, block);
      without.push(finite(await losses.of(scales, trialRows.validation)));
    }
    return without[1]! < without[0]! ? starts[1]! : starts[0]!;
  }

  /** A few steps, so that scales make up for the block that went last. */
  async #recover(scales: Map<ScaleKey, Float32Array>, off: readonly BlockName[]): Promise<void> {
    const { training } = this.#context.trialRows;
    const from = off.length * RECOVERY_STEPS;
    const batches = Array.from(
      { length: RECOVERY_STEPS },
      (_, step) => training[(from + step) % training.length]!,
    );
    await trainBriefly(this.#context, this.#gradientModel, scales, off, batches, this.#rate(RECOVERY_RATE));
  }

  async #judge(
    name: string,
    blocks: readonly BlockName[],
    { round, keep }: RoundContext,
    losses: SkipLosses,
  ): Promise<void> {
    const { contest } = round;
    const { decoder, trialRows } = this.#context;
    const untrained = copyScales(this.#start);
    for (const block of blocks) switchOff(decoder, untrained, block);
    const scales = copyScales(untrained);
    const rate = this.#rate(TRIAL_RATE);
    const { training, validation } = trialRows;
    const first = await trainBriefly(this.#context, this.#gradientModel, scales, blocks, training, rate);
    const after = finite(await losses.of(scales, validation));
    // Where a loss is low already, a few large steps do more harm than good.
    const before = after > HARDLY_LOWER * first ? finite(await losses.of(untrained, validation)) : Infinity;
    const loss = Math.min(after, before);
    if (Object.values(contest!.losses).every((other) => loss < other))
      contest!.scales = saveScales(before < after ? untrained : scales);
    contest!.losses[name] = loss;
    keep();
  }

  #rate(usual: number): number {
    const { granularity, decoder } = this.#context;
    return usual * rateForWidth(granularity, decoder.hiddenSize);
  }

  /** The blocks that an order gives for the contested number. */
  #choiceOf(order: Order): BlockName[] {
    const { decoder, kinds, contested } = this.#context;
    const chosen: BlockName[] = [];
    for (let count = 0; count < contested; count += 1) {
      const candidates = new Set(candidateBlocks(decoder, kinds, chosen));
      const next = order.find((block) => candidates.has(block));
      if (next) chosen.push(next);
    }
    return chosen;
  }
}

/** Choices that differ, by the name of the first order that makes each. */
function distinct(
  orders: Readonly<Record<string, string[]>>,
  choiceOf: (order: Order) => BlockName[],
): [string, BlockName[]][] {
  const choices = new Map<string, [string, BlockName[]]>();
  for (const [name, order] of Object.entries(orders)) {
    const blocks = choiceOf(order as Order);
    const key = blocks.toSorted().join();
    if (!choices.has(key)) choices.set(key, [name, blocks]);
  }
  return [...choices.values()];
}
