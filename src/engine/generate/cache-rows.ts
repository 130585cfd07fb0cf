/** KV caches during generation: from one run's outputs to the next run's inputs, and dropping rows that are done. */
import { blocksOf, type Decoder } from '../decoder/decoder.js';
import type { Feeds } from '../runtime/session.js';
import { selectAxis, type RuntimeTensor } from '../runtime/tensors.js';

export interface CacheLink {
  past: string;
  present: string;
  /** Axis of the rows: 1 in GPT-2's packed layout, otherwise 0. */
  rowAxis: number;
}

/** Which present output becomes which past input. */
export function cacheLinks(decoder: Decoder): CacheLink[] {
  return blocksOf(decoder).flatMap(({ cache }) => {
    if (!cache) return [];
    if (cache.layout !== 'separate') {
      const rowAxis = cache.layout === 'packed' ? 1 : 0;
      return [{ past: cache.past, present: cache.present, rowAxis }];
    }
    return [
      { past: cache.pastKey, present: cache.presentKey, rowAxis: 0 },
      { past: cache.pastValue, present: cache.presentValue, rowAxis: 0 },
    ];
  });
}

export function nextCache(links: readonly CacheLink[], results: Record<string, RuntimeTensor>): Feeds {
  return Object.fromEntries(links.map(({ past, present }) => [past, results[present]!]));
}

/**
 * The cache of the given rows only.
 * @param into by the outputs' names the tensors that it is written into, if any
 */
export function selectRows(
  links: readonly CacheLink[],
  cache: Feeds,
  rows: readonly number[],
  into: Feeds = {},
): Feeds {
  return Object.fromEntries(
    links.map(({ past, present, rowAxis }) => [past, selectAxis(cache[past]!, rowAxis, rows, into[present])]),
  );
}
