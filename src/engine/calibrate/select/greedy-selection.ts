/**
 * A baseline: blocks go one after the other, each time the one without which the model stays nearest to the original
 * (divergence on the judged rows, scales where they start). Nothing is trained.
 */
import type { BlockName } from '../../../schema/blocks.js';
import type { Decoder } from '../../decoder/decoder.js';
import { initialScales } from '../../decoder/scales.js';
import { judgingByDivergence } from './judged-targets.js';
import { switchOff } from './off-blocks.js';
import {
  finite,
  requireConverged,
  type BlockSelector,
  type RoundContext,
  type SelectionStrategy,
} from './selection-strategy.js';
import { JUDGED_SHARE, SkipLosses } from './skip-losses.js';

export const greedySelection: SelectionStrategy = {
  name: 'greedy',
  description: 'a baseline: skips one after the other what moves the model the least, without training',
  costOfRound: ({ batches, candidates }) => batches * JUDGED_SHARE * 0.5 * candidates,
  open: async (context) =>
    new GreedySelector(context.decoder, await SkipLosses.open(await judgingByDivergence(context))),
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
