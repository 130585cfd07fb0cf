/** The original's distributions, learnt once for rows and given to whichever batches hold them. */
import { expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { lossBatchOf } from '../../../test/support/random-scales.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { openForwardModel } from './forward-model.js';
import { makeLossBatch, type LossBatch } from './loss-batch.js';
import { OriginalTargets } from './original-targets.js';

const decoder = readDecoder(buildDecoder(decoderStyles[0]!));
const { source } = lossBatchOf(decoder);
const wide = source.map((row) => ({ ...row, responseStart: 1 }));

async function learnt(rows: typeof source): Promise<OriginalTargets> {
  const original = await openForwardModel(decoder, { skipped: [], granularity: 'scalar' });
  const targets = new OriginalTargets();
  await targets.learn(original, [makeLossBatch(decoder, rows, 0)]);
  await original.release();
  return targets;
}

function valuesOf(batch: LossBatch): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(batch.targets!()).map(([name, { dims, data }]) => [name, { dims, data }]),
  );
}

it('gives a batch of which less is learnt the distributions of its own tokens', async () => {
  const own = makeLossBatch(decoder, source, 0);
  (await learnt(source)).addTo(own);
  const part = makeLossBatch(decoder, source, 0);
  (await learnt(wide)).addTo(part);
  expect(valuesOf(part)).toEqual(valuesOf(own));
});

it('knows nothing of rows, or of tokens, that were not learnt', async () => {
  const targets = await learnt(source);
  expect(() => targets.addTo(makeLossBatch(decoder, wide, 0))).toThrow(RangeError);
  expect(() => targets.addTo(lossBatchOf(decoder, 1))).toThrow(RangeError);
});
