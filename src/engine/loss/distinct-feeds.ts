/** Which tokens of a batch are computed once: those whose rows are the same up to there. */
import { DISTINCT_INPUTS } from '../decoder/edit/distinct-tokens.js';
import type { TokenBlock } from '../runtime/decoder-feeds.js';
import type { Feeds } from '../runtime/session.js';
import { int64Tensor } from '../runtime/tensors.js';

export interface DistinctTokens {
  /** Of `DISTINCT_INPUTS`. */
  feeds: Feeds;
  /** How many there are: at most rows x positions, padding left out. */
  count: number;
}

/** @param block rows padded on the right, with a mask */
export function distinctTokens({ rows, positions, ids, mask }: TokenBlock): DistinctTokens {
  const tokens: number[] = [];
  const places = new Int32Array(rows * positions);
  // By what goes before: the distinct token, and which one follows on each id.
  const following = new Map<string, number>();
  for (let row = 0; row < rows; row += 1) {
    let last = -1;
    for (let at = row * positions; at < (row + 1) * positions && mask?.[at] !== 0; at += 1) {
      const text = `${last} ${ids[at]!}`;
      let token = following.get(text);
      if (token === undefined) {
        token = tokens.push(at) - 1;
        following.set(text, token);
      }
      places[at] = last = token;
    }
  }
  return { feeds: feedsOf(tokens, places, [rows, positions]), count: tokens.length };
}

/** Feeds of a stream that is given token by token, none of them twice. */
export function allDistinct(count: number): Feeds {
  const all = Array.from({ length: count }, (_, index) => index);
  return feedsOf(all, all, [1, count]);
}

/** Feeds for finding out types: the last token of the last row is the first row's first. */
export function distinctProbe(rows: number, positions: number): Feeds {
  const all = Array.from({ length: rows * positions - 1 }, (_, index) => index);
  return feedsOf(all, [...all, 0], [rows, positions]);
}

function feedsOf(
  tokens: readonly number[],
  places: ArrayLike<number>,
  [rows, positions]: readonly [number, number],
): Feeds {
  return {
    [DISTINCT_INPUTS.tokens]: int64Tensor(tokens, [1, tokens.length]),
    [DISTINCT_INPUTS.places]: int64Tensor(Array.from(places), [rows, positions]),
  };
}
