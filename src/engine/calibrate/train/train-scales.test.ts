/** The final training: the published one against PyTorch, and its own rules on a small decoder. */
import type { BlockName } from '../../../schema/blocks.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { lossBatchOf, skippedOfBothKinds } from '../../../../test/support/random-scales.js';
import { layerKeys, sampleBatches, sampleDecoder, taskReference } from '../../../../test/support/sample.js';
import type { Decoder } from '../../decoder/decoder.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import { Adam, PUBLISHED_BETA_2 } from './adam.js';
import { unsavedCheckpoint } from '../checkpoint.js';
import { openForwardModel } from '../../loss/forward-model.js';
import { openGradientModel } from '../../loss/open-gradient-model.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { initialValue, saveScales } from '../../decoder/scales.js';
import { meanLoss, trainScales, type TrainingSettings } from './train-scales.js';

const PUBLISHED: TrainingSettings = {
  granularity: 'scalar',
  epochs: 10,
  learningRate: 3e-3,
  restarts: 0,
  schedule: 'constant',
  beta2: PUBLISHED_BETA_2,
  pull: 0,
  distillation: 0,
};

describe('the published training', () => {
  it('has the losses and the scales that PyTorch gives', async () => {
    const { published_selection: selection, published_training: expected } = taskReference('tracking');
    const decoder = await sampleDecoder();
    const skipped = selection.chosen.map((layer): BlockName => `attention ${layer}`);
    const batches = await sampleBatches(decoder, 'tracking', 0, 255);
    const heldout = await sampleBatches(decoder, 'tracking', 400, 403);
    const checkpoint = unsavedCheckpoint();
    const trained = await train(decoder, skipped, PUBLISHED, { batches, heldout }, checkpoint);
    const losses = trained.epochs.slice(1).map(({ trainingLoss }) => trainingLoss!);
    expected.curve.forEach((loss, epoch) => expect(Math.abs(losses[epoch]! - loss)).toBeLessThan(1e-3));
    const last = checkpoint.state.training['3']!.scales;
    expected.scales.forEach((row, layer) => {
      layerKeys(layer).forEach((key, column) => {
        if (last[key]) expect(Math.abs(last[key][0]! - row[column]!), key).toBeLessThan(1e-3);
        else expect([skipped, row[column]], key).toEqual([expect.arrayContaining([`attention ${layer}`]), 1]);
      });
    });
  }, 300_000);
});

describe('trainScales', () => {
  const settings: TrainingSettings = {
    granularity: 'channel+offset',
    epochs: 5,
    learningRate: 0.05,
    restarts: 0,
    schedule: 'linear',
    beta2: 0.9,
    pull: 0.01,
    distillation: 0,
  };
  let decoder: Decoder;
  let batch: LossBatch;
  beforeAll(() => {
    decoder = readDecoder(buildDecoder(decoderStyles[0]!));
    batch = lossBatchOf(decoder);
  });

  it('takes Adam steps from ones, the learning rate falling linearly to 0', async () => {
    const batches = [batch, batch];
    const checkpoint = unsavedCheckpoint();
    await train(decoder, skippedOfBothKinds, settings, { batches, heldout: [batch] }, checkpoint);

    const model = await openGradientModel(decoder, {
      skipped: skippedOfBothKinds,
      granularity: 'channel+offset',
    });
    const scales = new Map(
      [...model.scaleSizes].map(([key, size]) => [key, new Float32Array(size).fill(initialValue(key))]),
    );
    const adam = new Adam();
    for (let step = 0; step < 10; step += 1) {
      const { gradients } = await model.run(batch, scales);
      adam.update(scales, gradients, 0.05 * (1 - step / 10), settings);
    }
    await model.release();
    expect(checkpoint.state.training['2']!.scales).toEqual(saveScales(scales));
  });

  it('keeps the epoch with the lowest held-out loss, be it the start', async () => {
    const model = await openForwardModel(decoder, { skipped: [], granularity: 'channel' });
    // A small learning rate gets ever better on these rows, a large one worse after a while; other rows gain nothing.
    const others = lossBatchOf(decoder, 5);
    for (const [learningRate, heldout, best] of [
      [0.02, batch, settings.epochs],
      [6, batch, 1],
      [30, others, 0],
    ] as const) {
      const how = { ...settings, granularity: 'channel', learningRate } as const;
      const trained = await train(decoder, [], how, { batches: [batch], heldout: [heldout] });
      const losses = trained.epochs.map(({ heldoutLoss }) => heldoutLoss);
      expect([trained.bestEpoch, losses.indexOf(Math.min(...losses))]).toEqual([best, best]);
      expect(await meanLoss(model, [heldout], trained.scales)).toBeCloseTo(trained.heldoutLoss, 6);
    }
    await model.release();
  });

  it('begins again with half the rate where the first epoch made the held-out loss worse', async () => {
    const others = lossBatchOf(decoder, 5);
    const data = { batches: [batch], heldout: [others] };
    const large = { ...settings, learningRate: 30 };
    const without = await train(decoder, [], large, data);
    expect(without.epochs[1]!.heldoutLoss).toBeGreaterThan(without.epochs[0]!.heldoutLoss);

    const checkpoint = unsavedCheckpoint();
    const trained = await train(decoder, [], { ...large, restarts: 2 }, data, checkpoint);
    const restarts = checkpoint.state.training['0']!.restarts;
    expect(restarts).toBeGreaterThan(0);
    expect(trained.epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3, 4, 5]);
    const again = await train(decoder, [], { ...large, learningRate: 30 / 2 ** restarts }, data);
    expect(again.epochs).toEqual(trained.epochs);
  });

  it('keeps residual scales above zero however large the steps are, so that they can be folded', async () => {
    const checkpoint = unsavedCheckpoint();
    const large = { ...settings, learningRate: 1 };
    await train(decoder, [], large, { batches: [batch], heldout: [batch] }, checkpoint);
    const last = Object.entries(checkpoint.state.training['0']!.scales);
    const residuals = last.flatMap(([key, values]) => (key.startsWith('residual') ? values : []));
    expect(Math.min(...residuals)).toBeCloseTo(0.1, 6);
  });

  it('says what to do when the loss is not a number any more', async () => {
    const wild = { ...settings, learningRate: 1e30 };
    await expect(train(decoder, [], wild, { batches: [batch], heldout: [batch] })).rejects.toThrow(
      /diverged in epoch \d.*start again with a smaller learning rate\.$/,
    );
  });
});

async function train(
  decoder: Decoder,
  skipped: readonly BlockName[],
  settings: TrainingSettings,
  data: { batches: LossBatch[]; heldout: LossBatch[] },
  checkpoint = unsavedCheckpoint(),
) {
  const context = {
    ...data,
    decoder,
    runOptions: undefined,
    loss: 'cross-entropy' as const,
    signal: undefined,
    onWork: () => {},
  };
  return await trainScales(context, skipped, settings, checkpoint, () => {});
}
