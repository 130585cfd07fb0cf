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
  type SearchContext,
  type SelectionStrategy,
} from './selection-strategy.js';
import { JUDGED_SHARE, SkipLosses } from './skip-losses.js';
import { measureSimilarity } from './stream-similarity.js';

/** Rate of the steps that make up for a block in the chain, and of those before a choice is judged. */
const RECOVERY_RATE = 0.01;
const RECOVERY_STEPS = 2;
const TRIAL_RATE = 0.005;
/** Candidates that are tried in a later round of the chain: those that came nearest. */
const NEAREST = 12;

export const contestSelection: SelectionStrategy = {
  name: 'contest',
  description: 'trains several choices a little, the baselines among them; rows kept apart decide',
  costOfRound: ({ batches, candidates }, round) => {
    if (round > 0) return 0;
    const choices = 3;
    const trial = 0.5 * 0.75 * GRADIENT_STEP_COST + 0.25;
    return batches * (0.25 + JUDGED_SHARE * 0.5 * candidates + choices * trial);
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

/** Blocks, the first to go first. */
type Order = BlockName[];

class ContestSelector implements BlockSelector {
  readonly #context: SearchContext;
  readonly #gradientModel: GradientModel;
  readonly #start: ReadonlyMap<ScaleKey, Float32Array>;

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
      const similarity = await measureSimilarity(decoder, trialRows.training, runOptions, () =>
        onWork(batches.length / 4 / trialRows.training.length),
      );
      const by = (value: (block: BlockName) => number): Order =>
        candidates.toSorted((a, b) => value(b) - value(a));
      orders.cosine = by((block) => similarity.byBlock.get(block)!);
      if (loss === 'cross-entropy') {
        orders['block-influence'] = by((block) => similarity.layers.get(Number(block.split(' ')[1]))!);
      }
      keep();
    }
    if (!orders.alone) {
      const alone = await losses.without(this.#start, candidates, onCandidate);
      const base = await losses.of(this.#start);
      for (const block of candidates)
        recordLoss(block, finite(alone.get(block)!), finite(alone.get(block)! - base));
      orders.alone = candidates.toSorted((a, b) => round.losses[a]! - round.losses[b]!);
    }
    if (!orders.chain && this.#needsChain(candidates.length)) {
      orders.chain = await this.#chain(
        new Map(candidates.map((block) => [block, round.rises![block]!])),
        losses,
        onCandidate,
      );
      keep();
    }
  }

  /**
   * The dearest of the orders. Where the original's own answers are kept, blocks cost nearly alone what they cost
   * together, unless many of them go.
   */
  #needsChain(candidates: number): boolean {
    const { contested, loss } = this.#context;
    return contested > 1 && (loss === 'cross-entropy' || contested >= candidates / 3);
  }

  /** One after the other, with a few steps in between; what it cost when it was last tried says which come near. */
  async #chain(
    rises: Map<BlockName, number>,
    losses: SkipLosses,
    onCandidate: RoundContext['onCandidate'],
  ): Promise<Order> {
    const { decoder, kinds, contested, trialRows } = this.#context;
    const scales = copyScales(this.#start);
    const order: Order = [];
    const nearest = () =>
      candidateBlocks(decoder, kinds, order).toSorted((a, b) => rises.get(a)! - rises.get(b)!);
    while (order.length < contested) {
      const tried = nearest().slice(0, NEAREST);
      if (tried.length === 0) break;
      if (order.length > 0) {
        const base = await losses.of(scales);
        const off = order.length;
        const without = await losses.without(scales, tried, (block, look) =>
          onCandidate(block, { ...look, off }),
        );
        for (const [block, loss] of without) rises.set(block, finite(loss - base));
      }
      const block = tried.reduce((a, b) => (rises.get(b)! < rises.get(a)! ? b : a));
      switchOff(decoder, scales, block);
      order.push(block);
      const from = order.length * RECOVERY_STEPS;
      const { training } = trialRows;
      const batches = Array.from(
        { length: RECOVERY_STEPS },
        (_, step) => training[(from + step) % training.length]!,
      );
      await trainBriefly(
        this.#context,
        this.#gradientModel,
        scales,
        order,
        batches,
        this.#rate(RECOVERY_RATE),
      );
    }
    return [...order, ...nearest()];
  }

  async #judge(
    name: string,
    blocks: readonly BlockName[],
    { round, keep }: RoundContext,
    losses: SkipLosses,
  ): Promise<void> {
    const { contest } = round;
    const { decoder, trialRows } = this.#context;
    const scales = copyScales(this.#start);
    for (const block of blocks) switchOff(decoder, scales, block);
    await trainBriefly(
      this.#context,
      this.#gradientModel,
      scales,
      blocks,
      trialRows.training,
      this.#rate(TRIAL_RATE),
    );
    const loss = finite(await losses.of(scales, trialRows.validation));
    if (Object.values(contest!.losses).every((other) => loss < other)) contest!.scales = saveScales(scales);
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
