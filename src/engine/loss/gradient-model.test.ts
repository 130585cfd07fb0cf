/** Loss and gradients of whole decoders: the sample's against PyTorch, every style's against finite differences. */
import type { BlockName } from '../../schema/blocks.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { alikeBatchOf, randomNumber, skippedOfBothKinds } from '../../../test/support/random-scales.js';
import {
  SAMPLE_TASKS,
  layerKeys,
  sampleBatches,
  sampleDecoder,
  scalesOf,
  taskReference,
  type LayerScales,
} from '../../../test/support/sample.js';
import type { Decoder } from '../decoder/decoder.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { openForwardModel } from './forward-model.js';
import { openGradientModel } from './open-gradient-model.js';
import { copyScales, initialValue, type Scales } from '../decoder/scales.js';
import { meanLoss } from '../calibrate/train/train-scales.js';

describe.each(SAMPLE_TASKS)('the sample on %s, against PyTorch', (task) => {
  const reference = taskReference(task);
  let decoder: Decoder;
  beforeAll(async () => {
    decoder = await sampleDecoder();
  });

  it('has the loss and gradients at all ones', async () => {
    const { loss, gradients } = await run([], scalesOf(reference.grad_ones.map(() => [1, 1, 1, 1])));
    expectLoss(loss, reference.loss_ones);
    expectGradients(gradients, reference.grad_ones);
  });

  it('has the loss and gradients at other scales with skipped blocks', async () => {
    const skipped = reference.skip.map((layer): BlockName => `attention ${layer}`);
    const { loss, gradients } = await run(skipped, scalesOf(reference.scales));
    expectLoss(loss, reference.loss_scales);
    expectGradients(gradients, reference.grad_scales);
    for (const layer of reference.skip) expect(gradients.has(layerKeys(layer)[0])).toBe(false);
  });

  it('has the held-out loss of the original and of each block gated off', async () => {
    const heldout = await sampleBatches(decoder, task, 400, 527);
    const model = await openForwardModel(decoder, { skipped: [], granularity: 'scalar' });
    const lossWithout = async (layer?: number) =>
      await meanLoss(
        model,
        heldout,
        new Map(layer === undefined ? [] : [[layerKeys(layer)[0], Float32Array.of(0)]]),
      );
    expectLoss(await lossWithout(), reference.heldout_original[0]);
    // The first and the last; each costs a pass over 128 rows.
    for (const layer of [0, 11]) expectLoss(await lossWithout(layer), reference.heldout_skip_one[layer]!);
    await model.release();
  });

  async function run(skipped: readonly BlockName[], scales: Scales) {
    const [batch] = await sampleBatches(decoder, task, 0, 31);
    const model = await openGradientModel(decoder, { skipped, granularity: 'scalar' });
    try {
      return await model.run(batch!, scales);
    } finally {
      await model.release();
    }
  }
});

/**
 * Relative agreement of 1e-4, and 2e-7 more: where losses are tiny (at all ones the sample is nearly always sure of its
 * answers) float32 leaves the reference itself no more than that. In float64 its loss on arithmetic is 0.00029830622
 * and not 0.00029810102, and single entries of its gradients are off by up to 1.7e-7.
 */
function expectLoss(actual: number, expected: number): void {
  expect(Math.abs(actual - expected)).toBeLessThan(1e-4 * expected + ABSOLUTE);
}

const ABSOLUTE = 2e-7;

function expectGradients(actual: Scales, expected: LayerScales): void {
  const length = Math.hypot(...expected.flat());
  expected.forEach((row, layer) => {
    layerKeys(layer).forEach((key, column) => {
      const difference = Math.abs((actual.get(key)?.[0] ?? 0) - row[column]!);
      expect(difference, key).toBeLessThan(1e-4 * length + ABSOLUTE);
    });
  });
}

describe.each(decoderStyles)('a decoder in the style of $name', (style) => {
  it.each([
    ['scalar', []],
    ['channel+gain+offset', skippedOfBothKinds],
  ] as const)('has the gradients that differences of the loss show (%s)', async (granularity, skipped) => {
    const decoder = readDecoder(buildDecoder(style));
    const batch = alikeBatchOf(decoder);
    const model = await openGradientModel(decoder, { skipped, granularity });
    const scales = new Map(
      [...model.scaleSizes].map(([key, size]) => [
        key,
        Float32Array.from({ length: size }, (_, i) => initialValue(key) + 0.1 * randomNumber(key, i)),
      ]),
    );
    const { gradients } = await model.run(batch, scales);
    const length = Math.hypot(...[...gradients.values()].flatMap((values) => Array.from(values)));
    expect(length).toBeGreaterThan(0.01);
    for (const [key, gradient] of gradients) {
      // One direction for each key, so that every entry counts.
      const direction = Array.from(gradient, (_, i) => randomNumber(`direction ${key}`, i));
      const lossAt = async (distance: number) => {
        const moved = copyScales(scales);
        direction.forEach((step, i) => (moved.get(key)![i]! += distance * step));
        return (await model.run(batch, moved)).loss;
      };
      const slope = ((await lossAt(STEP)) - (await lossAt(-STEP))) / (2 * STEP);
      const expected = direction.reduce((sum, step, i) => sum + step * gradient[i]!, 0);
      // A step may pass the kink of a ReLU.
      const tolerance = style.mlp === 'relu' ? 5e-2 : 2e-3;
      expect(Math.abs(slope - expected), key).toBeLessThan(tolerance * length);
    }
    await model.release();
  });
});

/** float32 losses of about 3 are known to 3e-7: the differences to 3e-5. */
const STEP = 1e-2;
