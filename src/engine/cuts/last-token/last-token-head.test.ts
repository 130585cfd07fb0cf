/** A model that computes logits of the last token alone: the same ones, and so the same texts. */
import path from 'node:path';
import { expect, it } from 'vitest';
import { sampleFolder } from '../../../../test/support/shared-folder.js';
import { temporaryFolder } from '../../../../test/support/temporary-folder.js';
import { openModel } from '../../jobs/parts/source-model.js';
import { emptyCache, tokenFeeds } from '../../runtime/decoder-feeds.js';
import { openSession } from '../../runtime/session.js';
import { lastTokenHead, lastTokenProblem } from './last-token-head.js';

async function logitsOf(file: string, decoder: Awaited<ReturnType<typeof openModel>>['decoder']) {
  const session = await openSession(file, { threads: 1 });
  try {
    const ids = [0, 1, 40, 50, 60, 70, 80, 2];
    const feeds = { ...tokenFeeds(decoder, { rows: 2, positions: 4, ids }), ...emptyCache(decoder, 2) };
    return (await session.run(feeds, [decoder.logits]))[decoder.logits]!;
  } finally {
    await session.release();
  }
}

it('gives the logits of each row’s last position, and says so in its declared shape', async () => {
  const { source, decoder } = await openModel(sampleFolder);
  const output = path.join(temporaryFolder(), 'last');
  await lastTokenHead({ source, decoder, output });
  const written = await openModel(output);
  const all = await logitsOf(source.modelPath, decoder);
  const last = await logitsOf(written.source.modelPath, written.decoder);
  const width = decoder.vocabularySize;
  const expected = [3, 7].flatMap((at) =>
    Array.from(all.data as Float32Array).slice(at * width, (at + 1) * width),
  );
  expect(last.dims).toEqual([2, 1, width]);
  const largest = Math.max(
    ...Array.from(last.data as Float32Array, (logit, at) => Math.abs(logit - expected[at]!)),
  );
  expect(largest).toBeLessThan(1e-4);
  expect(written.decoder.graph.outputs[0]!.type?.value).toMatchObject({
    value: { shape: { dim: [{}, { value: { value: 1n } }, {}] } },
  });
  expect(lastTokenProblem(decoder)).toBeUndefined();
  await expect(
    lastTokenHead({
      source: written.source,
      decoder: written.decoder,
      output: path.join(temporaryFolder(), 'again'),
    }),
  ).rejects.toThrow('The model computes logits of the last token alone already.');
});
