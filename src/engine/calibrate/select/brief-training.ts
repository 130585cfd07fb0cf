/** A few steps of training with some blocks off, to see what a choice will come to. */
import type { BlockName } from '../../../schema/blocks.js';
import { throwIfCancelled } from '../../../schema/errors.js';
import type { ScaleKey } from '../../decoder/scales.js';
import type { GradientModel } from '../../loss/gradient-model.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { Adam } from '../train/adam.js';
import { USUAL_BETA_2 } from '../train/train-scales.js';
import { keepOff } from './off-blocks.js';
import { GRADIENT_STEP_COST, type SelectionContext } from './selection-strategy.js';

/**
 * One step a batch, at the same rate; moves the scales in place.
 * @returns the loss on the first batch before its step
 */
export async function trainBriefly(
  {
    decoder,
    signal,
    onWork,
    batches: all,
  }: Pick<SelectionContext, 'decoder' | 'signal' | 'onWork' | 'batches'>,
  model: GradientModel,
  scales: Map<ScaleKey, Float32Array>,
  off: readonly BlockName[],
  batches: readonly LossBatch[],
  learningRate: number,
): Promise<number> {
  const adam = new Adam();
  const usual = all.reduce((sum, { mask }) => sum + mask.length, 0) / all.length;
  let first = NaN;
  for (const [index, batch] of batches.entries()) {
    throwIfCancelled(signal);
    const { loss, gradients } = await model.run(batch, scales);
    if (index === 0) first = loss;
    keepOff(decoder, gradients, off);
    adam.update(scales, gradients, learningRate, { beta2: USUAL_BETA_2 });
    onWork((GRADIENT_STEP_COST * batch.mask.length) / usual);
  }
  return first;
}
