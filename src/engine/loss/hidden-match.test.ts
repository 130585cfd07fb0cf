import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { openForwardModel } from './forward-model.js';
import { openGradientModel } from './open-gradient-model.js';
import { hiddenMatchFeeds } from './hidden-match.js';
import { makeLossBatch } from './loss-batch.js';
import { initialScales, type ScaleKey } from '../decoder/scales.js';

const decoder = readDecoder(buildDecoder(decoderStyles[0]!, { layers: 3, seed: 4 }));
const rows = [
  { ids: [1, 5, 9, 3, 7], responseStart: 2 },
  { ids: [2, 8, 4], responseStart: 1 },
];

describe('matching hidden states', () => {
  it('adds the gradient of the relative distance to that of the loss', async () => {
    const batch = makeLossBatch(decoder, rows, 0);
    const options = { skipped: ['attention 1' as const], granularity: 'scalar' as const };
    const original = await openForwardModel(decoder, { skipped: [], granularity: 'scalar' });
    const slimmed = await openForwardModel(decoder, options);
    const gradientModel = await openGradientModel(decoder, { ...options, matchHidden: true });
    const targets = await original.hidden(batch, new Map());
    const weight = 0.7;
    const objective = async (scales: Map<ScaleKey, Float32Array>) => {
      const { loss } = await slimmed.run(batch, scales);
      const hidden = await slimmed.hidden(batch, scales);
      const width = hidden.length / batch.mask.length;
      let distance = 0;
      let size = 0;
      hidden.forEach((value, index) => {
        if (!batch.mask[Math.floor(index / width)]) return;
        distance += (value - targets[index]!) ** 2;
        size += targets[index]! ** 2;
      });
      return loss + (weight * distance) / size;
    };

    const scales = initialScales(gradientModel.scaleSizes);
    const { gradients } = await gradientModel.run(batch, scales, hiddenMatchFeeds(batch, targets, weight));
    const step = 2e-2;
    for (const key of ['block mlp 0', 'residual mlp 1', 'block attention 2'] as const) {
      const moved = async (by: number) => {
        const value = scales.get(key)!;
        value[0]! += by;
        const result = await objective(scales);
        value[0]! -= by;
        return result;
      };
      const slope = ((await moved(step)) - (await moved(-step))) / (2 * step);
      expect(gradients.get(key)![0]).toBeCloseTo(slope, 3);
      expect(Math.abs(slope)).toBeGreaterThan(1e-3);
    }
    for (const model of [original, slimmed, gradientModel]) await model.release();
  });
});
