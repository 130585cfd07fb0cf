/**
 * A baseline: blocks go one after the other, each time the one without which the model stays nearest to the original
 * (divergence on the judged rows, scales where they start). Nothing is trained.
 */
import type { BlockName } from '../../../schema/blocks.js';
import type { Decoder } from '../../decoder/decoder.js';
import { initialScales } from '../../decoder/scales.js';
import { openForwardModel } from '../../loss/forward-model.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { OriginalTargets } from '../../loss/original-targets.js';
import { switchOff } from './off-blocks.js';
import {
  finite,
  requireConverged,
  type BlockSelector,
  type RoundContext,
  type SearchContext,
  type SelectionStrategy,
} from './selection-strategy.js';
import { JUDGED_SHARE, SkipLosses } from './skip-losses.js';

export const greedySelection: SelectionStrategy = {
  name: 'greedy',
  description: 'a baseline: skips one after the other what moves the model the least, without training',
  costOfRound: ({ batches, candidates }) => batches * JUDGED_SHARE * 0.5 * candidates,
  open: async (context) => {
    const judged = await withTargets(context);
    const divergence = {
      ...context,
      loss: 'divergence',
      trialRows: { ...context.trialRows, judged },
    } as const;
    return new GreedySelector(context.decoder, await SkipLosses.open(divergence));
  },
};

class GreedySelector implements BlockSelector {
  readonly #decoder: Decoder;
  readonly #losses: SkipLosses;

  constructor(decoder: Decoder, losses: SkipLosses) {
    this.#decoder = decoder;
    this.#losses = losses;
  }

  async chooseBlock({
    skipped,
    candidates,
    round,
    onCandidate,
    recordLoss,
  }: RoundContext): Promise<BlockName> {
    const open = candidates.filter((block) => round.losses[block] === undefined);
    const scales = initialScales(this.#losses.scaleSizes);
    for (const block of skipped) switchOff(this.#decoder, scales, block);
    for (const [block, loss] of await this.#losses.without(scales, open, onCandidate))
      recordLoss(block, finite(loss));
    const best = candidates.reduce((a, b) => (round.losses[b]! < round.losses[a]! ? b : a));
    requireConverged(round.losses[best]!);
    return best;
  }

  async release(): Promise<void> {
    await this.#losses.release();
  }
}

/** The judged rows with the original's distributions, which they have already where a divergence is learnt. */
async function withTargets({ decoder, loss, trialRows, runOptions }: SearchContext): Promise<LossBatch[]> {
  if (loss === 'divergence') return [...trialRows.judged];
  const judged = trialRows.judged.map((batch) => ({ ...batch }));
  const targets = new OriginalTargets();
  const original = await openForwardModel(decoder, {
    skipped: [],
    granularity: 'scalar',
    ...(runOptions && { runOptions }),
  });
  try {
    await targets.learn(original, judged);
  } finally {
    await original.release();
  }
  for (const batch of judged) targets.addTo(batch);
  return judged;
}
