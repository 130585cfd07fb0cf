import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { mergeDecoders } from '../../../../test/graphs/merge-decoders.js';
import { largestDifference, runDecoder } from '../../../../test/graphs/run-decoder.js';
import { openSession } from '../../runtime/session.js';
import { emptyCache, tokenFeeds } from '../../runtime/decoder-feeds.js';
import { boolTensor } from '../../runtime/tensors.js';
import { readDecoder } from './read-decoder.js';
import { unmerge } from './unmerge.js';

const llama = buildDecoder(decoderStyles[0]!);

describe('unmerge', () => {
  it('leaves other models alone', () => {
    expect(unmerge(llama)).toBe(llama);
  });

  it('takes the branch that reads a past, which does for an empty one too', async () => {
    const merged = mergeDecoders(llama);
    const before = merged.graph.node.length;
    const decoder = readDecoder(merged);
    expect(merged.graph.node).toHaveLength(before);
    expect(decoder.inputs).toMatchObject({ tokens: 'input_ids', others: [] });
    expect(decoder.graph.outputs.map(({ name }) => name)).toEqual(llama.graph.output.map(({ name }) => name));
    const [own, plain] = [await runDecoder(decoder), await runDecoder(readDecoder(llama))];
    expect(largestDifference(own, plain)).toBe(0);

    const session = await openSession(merged, { threads: 1, optimisation: 'disabled' });
    const feeds = {
      ...tokenFeeds(decoder, { rows: 2, positions: 5, ids: [1, 8, 15, 22, 29, 5, 12, 19, 26, 2] }),
      ...emptyCache(decoder, 2),
    };
    const first = await session.run({ ...feeds, use_cache_branch: boolTensor([false], [1]) });
    expect(largestDifference([first], [own[0]!])).toBeLessThan(1e-5);
    await session.release();
  });
});
