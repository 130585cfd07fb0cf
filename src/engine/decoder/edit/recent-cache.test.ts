/** KV caches that a graph takes in pieces, so that a run gives its new positions alone. */
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { buildGenaiDecoder, genaiStyles } from '../../../../test/graphs/genai-decoder.js';
import { expectSameTextsInBatches } from '../../../../test/support/same-texts.js';
import { cacheLinks } from '../../generate/cache-rows.js';
import { emptyCache, tokenFeeds } from '../../runtime/decoder-feeds.js';
import { openSession, type Feeds } from '../../runtime/session.js';
import { float32Values } from '../../runtime/tensors.js';
import { readDecoder } from '../read/read-decoder.js';
import { withRecentCache } from './recent-cache.js';

describe.each(decoderStyles)('$name', (style) => {
  const decoder = readDecoder(buildDecoder(style));
  const links = cacheLinks(decoder);
  const inPieces = withRecentCache(decoder.model, links, 2);

  if (links.some(({ rowAxis }) => rowAxis > 0)) {
    it('is left alone: keys and values lie in one value', () => {
      expect(inPieces).toBeUndefined();
    });
    return;
  }

  it('gives the same logits, and as new positions the end of the whole cache', async () => {
    const ids = [3, 1, 4, 1, 5, 9];
    const session = await openSession(inPieces!.model, { threads: 1 });
    const feeds = (from: number, to: number) =>
      tokenFeeds(decoder, { rows: 1, positions: to - from, ids: ids.slice(from, to) }, from);
    const recent = (place: number, of: (present: string, past: string) => Feeds[string]) =>
      links.map(({ past, present }) => [inPieces!.pieces.get(present)!.recent[place]!, of(present, past)]);
    const none = emptyCache(decoder, 1);
    const empty = (place: number) => Object.fromEntries(recent(place, (_, past) => none[past]!)) as Feeds;
    const made = ({ present }: (typeof links)[number]) => inPieces!.pieces.get(present)!.made;

    const whole = await session.run({ ...feeds(0, 6), ...none, ...empty(0), ...empty(1) });
    const first = await session.run({ ...feeds(0, 3), ...none, ...empty(0), ...empty(1) });
    const past = Object.fromEntries(links.map((link) => [link.past, first[link.present]!]));
    const second = await session.run({ ...feeds(3, 5), ...past, ...empty(0), ...empty(1) });
    const madeThen = Object.fromEntries(links.map((link) => [link.present, second[made(link)]!]));
    const one = Object.fromEntries(recent(0, (present) => madeThen[present]!)) as Feeds;
    const third = await session.run({ ...feeds(5, 6), ...past, ...one, ...empty(1) });

    const last = float32Values(whole[decoder.logits]!).slice(-decoder.vocabularySize);
    const logits = float32Values(third[decoder.logits]!);
    expect(Math.max(...logits.map((value, at) => Math.abs(value - last[at]!)))).toBeLessThan(1e-5);
    for (const link of links) {
      expect(third[made(link)]!.dims[2]).toBe(1);
      const put = joinHeads([first[link.present]!, second[made(link)]!, third[made(link)]!]);
      const all = joinHeads([third[link.present]!]);
      expect(put).toEqual(all);
    }
    await session.release();
  });

  it('writes the same texts, prompts of several lengths together', async () => {
    await expectSameTextsInBatches(decoder);
  });
});

it('leaves other forms alone: caches inside of an attention operator', () => {
  const decoder = readDecoder(buildGenaiDecoder(genaiStyles[0]!));
  expect(withRecentCache(decoder.model, cacheLinks(decoder), 2)).toBeUndefined();
});

/** Values by head, from tensors that are put one behind the other along their positions. */
function joinHeads(parts: readonly Feeds[string][]): number[][] {
  const heads = parts[0]!.dims[1]!;
  return Array.from({ length: heads }, (_, head) =>
    parts.flatMap((part) => {
      const values = float32Values(part);
      const width = values.length / heads;
      return Array.from(values.subarray(head * width, (head + 1) * width));
    }),
  );
}
