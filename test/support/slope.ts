/** The gradient of a decoder's loss by its scales, compared with finite differences and with the forward model. */
import type { BlockName } from '../../src/schema/blocks.js';
import type { Granularity } from '../../src/schema/settings.js';
import { openForwardModel } from '../../src/engine/loss/forward-model.js';
import { openGradientModel } from '../../src/engine/loss/open-gradient-model.js';
import type { LossBatch } from '../../src/engine/loss/loss-batch.js';
import type { ScaleKey, Scales } from '../../src/engine/decoder/scales.js';
import type { Decoder } from '../../src/engine/decoder/decoder.js';
import { randomNumber, randomScales } from './random-scales.js';

export interface Slope {
  /** Deviation of the gradient, along a random direction, from the loss's change in it; relative to the gradient. */
  error: number;
  /** Length of the gradient. */
  length: number;
  /** The loss by the gradient graph, and by the forward model. */
  loss: number;
  forwardLoss: number;
}

/** At random scales around one. */
export async function measureSlope(
  decoder: Decoder,
  batch: LossBatch,
  options: { skipped: readonly BlockName[]; granularity: Granularity },
  step = 2e-3,
): Promise<Slope> {
  const runOptions = { threads: 1 };
  const point = randomScales(decoder, options.skipped, options.granularity);
  const gradientModel = await openGradientModel(decoder, { ...options, runOptions });
  const forwardModel = await openForwardModel(decoder, { ...options, runOptions });
  try {
    const { loss, gradients } = await gradientModel.run(batch, point);
    const lossAt = async (distance: number) => (await gradientModel.run(batch, moved(point, distance))).loss;
    const difference = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
    let [slope, square] = [0, 0];
    for (const [key, gradient] of gradients) {
      gradient.forEach((value, index) => {
        slope += value * direction(key, index);
        square += value ** 2;
      });
    }
    const length = Math.sqrt(square);
    const forwardLoss = (await forwardModel.run(batch, point)).loss;
    return { error: Math.abs(slope - difference) / (0.1 + length), length, loss, forwardLoss };
  } finally {
    await gradientModel.release();
    await forwardModel.release();
  }
}

function direction(key: ScaleKey, index: number): number {
  return randomNumber(`direction ${key}`, index);
}

function moved(point: Scales, distance: number): Scales {
  return new Map(
    [...point].map(([key, values]) => [
      key,
      values.map((value, index) => value + distance * direction(key, index)),
    ]),
  );
}
