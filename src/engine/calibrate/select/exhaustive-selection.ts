/** The published search (arXiv 2506.03303): every candidate trains its scales for one epoch; the lowest loss is skipped. */
import type { BlockName } from '../../../schema/blocks.js';
import { throwIfCancelled } from '../../../schema/errors.js';
import { sharesResidual } from '../../decoder/decoder.js';
import { Adam } from '../train/adam.js';
import { openGradientModel } from '../../loss/open-gradient-model.js';
import type { GradientModel } from '../../loss/gradient-model.js';
import { initialScales, type ScaleKey } from '../../decoder/scales.js';
import {
  DIVERGED,
  GRADIENT_STEP_COST,
  requireConverged,
  type BlockSelector,
  type RoundContext,
  type SelectionContext,
  type SelectionStrategy,
} from './selection-strategy.js';

export const exhaustiveSelection: SelectionStrategy = {
  name: 'exhaustive',
  description: 'the published search: tries every block in every round, one epoch of training each',
  costOfRound: ({ candidates, batches }) => candidates * batches * GRADIENT_STEP_COST,
  open: async (context) => new ExhaustiveSelector(context),
};

class ExhaustiveSelector implements BlockSelector {
  readonly #context: SelectionContext;

  constructor(context: SelectionContext) {
    this.#context = context;
  }

  async chooseBlock({
    skipped,
    candidates,
    round,
    onCandidate,
    recordLoss,
  }: RoundContext): Promise<BlockName> {
    const open = candidates.filter((block) => round.losses[block] === undefined);
    if (open.length > 0) {
      const { decoder, loss, runOptions } = this.#context;
      const model = await openGradientModel(decoder, {
        skipped,
        granularity: 'scalar',
        loss,
        runOptions,
      });
      try {
        for (const block of open) {
          onCandidate(block, { index: candidates.indexOf(block), tries: candidates.length });
          recordLoss(block, await this.#oneEpochWithout(model, block));
        }
      } finally {
        await model.release();
      }
    }
    const best = candidates.reduce((a, b) => (round.losses[b]! < round.losses[a]! ? b : a));
    requireConverged(round.losses[best]!);
    return best;
  }

  async release(): Promise<void> {
    // Each round opens and releases its own model.
  }

  /**
   * Mean training loss of one epoch of Adam from ones, with the block gated off. A skipped block passes its residual
   * through: its residual scale is frozen at 1, unless another block shares the residual addition.
   */
  async #oneEpochWithout(model: GradientModel, block: BlockName): Promise<number> {
    const { batches, learningRate, signal, onWork } = this.#context;
    const off: ScaleKey = `block ${block}`;
    const passed: ScaleKey = `residual ${block}`;
    const scales = initialScales(model.scaleSizes);
    scales.get(off)!.fill(0);
    const adam = new Adam();
    let total = 0;
    for (const [index, batch] of batches.entries()) {
      throwIfCancelled(signal);
      const { loss, gradients } = await model.run(batch, scales);
      if (!Number.isFinite(loss)) {
        onWork(GRADIENT_STEP_COST * (batches.length - index));
        return DIVERGED;
      }
      total += loss;
      gradients.delete(off);
      if (!sharesResidual(this.#context.decoder, block)) gradients.delete(passed);
      adam.update(scales, gradients, learningRate);
      onWork(GRADIENT_STEP_COST);
    }
    return total / batches.length;
  }
}
