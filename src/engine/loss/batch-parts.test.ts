/** A batch that is too large to run at once: its loss and gradients are those of its parts together. */
import { expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { lossBatchOf, randomScales } from '../../../test/support/random-scales.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { batchParts } from './batch-parts.js';
import { openForwardModel } from './forward-model.js';
import { makeLossBatch } from './loss-batch.js';
import { openGradientModel } from './open-gradient-model.js';
import { OriginalTargets } from './original-targets.js';

const decoder = readDecoder(buildDecoder(decoderStyles[0]!));

it('gives every row to one part, of at most so many distinct tokens', () => {
  const batch = lossBatchOf(decoder);
  const parts = batchParts(decoder, batch, 14).map((part) => part.batch);
  expect(parts.flatMap(({ source }) => source)).toEqual(batch.source);
  expect(parts).toHaveLength(2);
  for (const { distinct } of parts) expect(distinct.count).toBeLessThanOrEqual(14);
  expect(batchParts(decoder, batch, batch.distinct.count)).toEqual([{ batch, share: 1 }]);
});

it('leaves a row alone that is longer than a part may be', () => {
  const parts = batchParts(decoder, lossBatchOf(decoder), 1);
  expect(parts.map((part) => part.batch.rows)).toEqual([1, 1, 1, 1]);
});

it.each(['cross-entropy', 'divergence'] as const)('adds up to the same %s and gradients', async (loss) => {
  // Rows of the small vocabulary come again; another token in front makes them others.
  const rows = Array.from({ length: 80 }, (_, seed) =>
    lossBatchOf(decoder, seed).source.map(({ ids, responseStart }) => ({
      ids: [seed % 7, ...ids],
      responseStart: responseStart + 1,
    })),
  ).flat();
  const batch = makeLossBatch(decoder, rows, 0);
  const original = await openForwardModel(decoder, { skipped: [], granularity: 'scalar' });
  const targets = new OriginalTargets();
  await targets.learn(original, [batch]);
  targets.addTo(batch);
  await original.release();

  const options = { skipped: ['mlp 1'], granularity: 'channel', loss } as const;
  const scales = randomScales(decoder, options.skipped, 'channel');
  const model = await openGradientModel(decoder, options);
  // More than are computed at once.
  expect(batch.distinct.count).toBeGreaterThan(1024);
  const whole = await model.run(batch, scales);
  const sums = new Map(
    [...whole.gradients].map(([key, { length }]) => [key, Array.from({ length }, () => 0)]),
  );
  for (const part of batchParts(decoder, batch, 300)) {
    for (const [key, values] of (await model.run(part.batch, scales)).gradients)
      values.forEach((value, i) => (sums.get(key)![i]! += part.share * value));
  }
  await model.release();

  const forward = await openForwardModel(decoder, options);
  expect(Math.abs((await forward.run(batch, scales)).loss - whole.loss)).toBeLessThan(1e-5);
  await forward.release();
  const length = Math.hypot(...[...whole.gradients.values()].flatMap((values) => [...values]));
  expect(length).toBeGreaterThan(0.01);
  for (const [key, values] of whole.gradients)
    values.forEach((value, i) =>
      expect(Math.abs(value - sums.get(key)![i]!), key).toBeLessThan(1e-4 * length),
    );
});
