/** Keys and values that several query heads share: multiplied by their groups instead of being repeated. */
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { largestDifference, runDecoder } from '../../../../test/graphs/run-decoder.js';
import { expectSameTextsInBatches } from '../../../../test/support/same-texts.js';
import type { Decoder } from '../decoder.js';
import { readDecoder } from '../read/read-decoder.js';
import { withoutRepetitions } from './shared-heads.js';

const grouped = decoderStyles.filter(({ groupedHeads }) => groupedHeads);

function repeats({ graph }: Decoder): number {
  const isRepeated = (value: string) => graph.consumers(value).some(({ opType }) => opType === 'Reshape');
  return graph.nodes.filter(({ opType, output }) => opType === 'Expand' && isRepeated(output[0]!)).length;
}

it('is tested on several families', () => {
  expect(grouped.length).toBeGreaterThan(2);
});

describe.each(grouped)('$name', (style) => {
  const decoder = readDecoder(buildDecoder(style, { heads: 4, kvHeads: 2 }));
  const rewritten = withoutRepetitions(decoder);

  it('repeats nothing any more, and gives the same logits and KV cache', async () => {
    expect(repeats(decoder)).toBeGreaterThan(0);
    expect(repeats(rewritten)).toBe(0);
    expect(largestDifference(await runDecoder(rewritten), await runDecoder(decoder))).toBeLessThan(1e-5);
  });

  it('writes the same texts, prompts of several lengths together', async () => {
    await expectSameTextsInBatches(decoder);
  });
});

it('leaves a decoder alone whose heads share nothing', () => {
  const decoder = readDecoder(buildDecoder(decoderStyles.find(({ groupedHeads }) => !groupedHeads)!));
  expect(withoutRepetitions(decoder)).toBe(decoder);
});
