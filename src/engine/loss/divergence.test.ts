import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { klDivergence } from '../evaluate/token-divergences.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { initialScales } from '../decoder/scales.js';
import { targetFeeds } from './divergence.js';
import { openForwardModel } from './forward-model.js';
import { openGradientModel } from './open-gradient-model.js';
import { makeLossBatch, type LossBatch } from './loss-batch.js';

const decoder = readDecoder(buildDecoder(decoderStyles[0]!, { layers: 3, seed: 4 }));
const rows = [
  { ids: [1, 5, 9, 3, 7], responseStart: 2 },
  { ids: [2, 8, 4], responseStart: 1 },
];
const skipping = { skipped: ['attention 1' as const], granularity: 'scalar' as const };

describe('the divergence from the original', () => {
  it('is the KL divergence of the whole distributions where all tokens are kept', async () => {
    const { batch, original, close } = await withTargets();
    const slimmed = await openForwardModel(decoder, { ...skipping, loss: 'divergence' });
    const expected = await original.logits(batch, new Map());
    const actual = await slimmed.logits(batch, new Map());
    const width = decoder.vocabularySize;
    const perToken = Array.from(batch.labels, (_, token) =>
      klDivergence(
        expected.subarray(token * width, (token + 1) * width),
        actual.subarray(token * width, (token + 1) * width),
      ),
    );
    const { loss } = await slimmed.run(batch, new Map());
    expect(loss).toBeCloseTo(perToken.reduce((sum, value) => sum + value, 0) / perToken.length, 5);
    expect(loss).toBeGreaterThan(1e-3);
    await slimmed.release();
    await close();
  });

  it('is nothing for the original itself, also where the kept tokens leave a rest', async () => {
    const { batch, close } = await withTargets(4);
    const itself = await openForwardModel(decoder, {
      skipped: [],
      granularity: 'scalar',
      loss: 'divergence',
    });
    expect((await itself.run(batch, new Map())).loss).toBeCloseTo(0, 6);
    await itself.release();
    await close();
  });

  it('has the gradient of finite differences', async () => {
    const { batch, close } = await withTargets(4);
    const slimmed = await openForwardModel(decoder, { ...skipping, loss: 'divergence' });
    const gradientModel = await openGradientModel(decoder, { ...skipping, loss: 'divergence' });
    const scales = initialScales(gradientModel.scaleSizes);
    const { loss, gradients } = await gradientModel.run(batch, scales);
    expect(loss).toBeCloseTo((await slimmed.run(batch, scales)).loss, 5);
    const step = 2e-2;
    for (const key of ['block mlp 0', 'residual mlp 1', 'block attention 2'] as const) {
      const moved = async (by: number) => {
        scales.get(key)![0]! += by;
        const { loss: there } = await slimmed.run(batch, scales);
        scales.get(key)![0]! -= by;
        return there;
      };
      const slope = ((await moved(step)) - (await moved(-step))) / (2 * step);
      expect(gradients.get(key)![0]).toBeCloseTo(slope, 3);
      expect(Math.abs(slope)).toBeGreaterThan(1e-3);
    }
    for (const model of [slimmed, gradientModel]) await model.release();
    await close();
  });
});

/** @param kept tokens of the original's distributions; default: all that the model gives */
async function withTargets(kept?: number) {
  const original = await openForwardModel(decoder, { skipped: [], granularity: 'scalar' });
  const batch: LossBatch = makeLossBatch(decoder, rows, 0);
  for await (const top of original.topTokensEach([batch])) {
    const few = kept ?? top.kept;
    const isFirst = (_: number, place: number) => place % top.kept < few;
    const feeds = targetFeeds({
      tokens: top.tokens.filter(isFirst),
      logProbabilities: top.logProbabilities.filter(isFirst),
      kept: few,
    });
    batch.targets = () => feeds;
  }
  return { batch, original, close: () => original.release() };
}
