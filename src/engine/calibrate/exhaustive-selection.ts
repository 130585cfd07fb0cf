/** The published search (arXiv 2506.03303): every candidate trains its scales for one epoch; the lowest loss is skipped. */
import type { BlockName } from '../decoder/decoder.js';
import { throwIfCancelled } from '../errors.js';
import { Adam } from './adam.js';
import { openGradientModel, type GradientModel } from './gradient-model.js';
import { initialValue, type ScaleKey } from './scales.js';
import type { SelectionContext, SelectionStrategy } from './selection-strategy.js';

export const exhaustiveSelection: SelectionStrategy = {
  name: 'exhaustive',
  description: 'the published search: tries every block in every round, one epoch of training each',
  stepsPerRound: (candidates, batches) => candidates * batches,

  async chooseBlock(context, skipped, candidates, round) {
    const open = candidates.filter((block) => round.losses[block] === undefined);
    if (open.length > 0) {
      const model = await openGradientModel(context.decoder, {
        skipped,
        granularity: 'scalar',
        ...(context.session ? { session: context.session } : {}),
      });
      try {
        for (const block of open) {
          context.onCandidate(block);
          context.recordLoss(block, await oneEpochWithout(model, block, context));
        }
      } finally {
        await model.release();
      }
    }
    return candidates.reduce((best, block) => (round.losses[block]! < round.losses[best]! ? block : best));
  },
};

/**
 * Mean training loss of one epoch of Adam from ones, with the block gated off. A skipped block passes its residual
 * through: its residual scale is frozen at 1, unless another block shares the residual addition.
 */
async function oneEpochWithout(
  model: GradientModel,
  block: BlockName,
  context: SelectionContext,
): Promise<number> {
  const off: ScaleKey = `branch ${block}`;
  const passed: ScaleKey = `residual ${block}`;
  const scales = new Map(
    [...model.scaleSizes].map(([key, size]) => [key, new Float32Array(size).fill(initialValue(key))]),
  );
  scales.get(off)!.fill(0);
  const adam = new Adam();
  let total = 0;
  for (const batch of context.batches) {
    throwIfCancelled(context.signal);
    const { loss, gradients } = await model.run(batch, scales);
    total += loss;
    gradients.delete(off);
    if (!model.sharesResidual(block)) gradients.delete(passed);
    adam.update(scales, gradients, context.learningRate);
    context.onStep();
  }
  return total / context.batches.length;
}
