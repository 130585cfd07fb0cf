/**
 * The KV cache of rows that are written together, from run to run. onnxruntime-node copies every result, so that a cache
 * that comes back as a whole is copied for each new token; where the graph takes it in pieces, only new positions come back,
 * and the whole now and then.
 */
import type { Decoder } from '../decoder/decoder.js';
import type { CachePieces } from '../decoder/edit/recent-cache.js';
import { emptyCache } from '../runtime/decoder-feeds.js';
import type { Feeds } from '../runtime/session.js';
import { zerosTensor, type RuntimeTensor } from '../runtime/tensors.js';
import { CacheBuffers } from './cache-buffers.js';
import { nextCache, selectRows, type CacheLink } from './cache-rows.js';

export class GrowingCache {
  readonly #decoder: Decoder;
  readonly #links: readonly CacheLink[];
  readonly #pieces: ReadonlyMap<string, CachePieces>;
  /** How many recent pieces the graph takes. */
  readonly #count: number;
  readonly #buffers: CacheBuffers | undefined;
  #whole: Feeds;
  /** Positions of the whole, which may be none. */
  #positions = 0;
  /** What runs since then made, by the pasts' names. */
  #recent: Feeds[] = [];
  #asksForWhole = true;
  readonly #empty = new Map<string, RuntimeTensor>();

  /**
   * @param pieces by the outputs' names; empty where the graph takes its cache as a whole
   * @param positions at the most
   */
  constructor(
    decoder: Decoder,
    links: readonly CacheLink[],
    pieces: ReadonlyMap<string, CachePieces>,
    { rows, positions }: { rows: number; positions: number },
  ) {
    this.#decoder = decoder;
    this.#links = links;
    this.#pieces = pieces;
    this.#count = pieces.values().next().value?.recent.length ?? 0;
    this.#whole = emptyCache(decoder, rows);
    this.#buffers = CacheBuffers.for(links, this.#whole, positions);
  }

  /** Forgets everything. */
  restart(rows: number): void {
    this.#whole = emptyCache(this.#decoder, rows);
    this.#positions = 0;
    this.#recent = [];
  }

  get feeds(): Feeds {
    const recent = this.#links.flatMap(({ past, present }) =>
      (this.#pieces.get(present)?.recent ?? []).map((name, place) => [
        name,
        this.#recent[place]?.[past] ?? this.#nothing(past),
      ]),
    );
    return { ...this.#whole, ...Object.fromEntries(recent) };
  }

  /**
   * What the next run is to give.
   * @param length positions, after it
   * @returns names of its outputs, and for some of them the memory to write them into
   */
  next(rows: number, length: number): { outputs: string[]; into: Feeds | undefined } {
    this.#asksForWhole = this.#positions === 0 || this.#recent.length >= this.#count;
    if (this.#asksForWhole) {
      this.#positions = length;
      const outputs = [this.#decoder.logits, ...this.#links.map(({ present }) => present)];
      return { outputs, into: this.#buffers?.next(rows, length) };
    }
    const made = this.#links.map(({ present }) => this.#pieces.get(present)!.made);
    return { outputs: [this.#decoder.logits, ...made], into: undefined };
  }

  take(results: Record<string, RuntimeTensor>): void {
    if (this.#asksForWhole) {
      this.#whole = nextCache(this.#links, results);
      this.#recent = [];
      return;
    }
    const made = this.#links.map(({ past, present }) => [past, results[this.#pieces.get(present)!.made]!]);
    this.#recent.push(Object.fromEntries(made) as Feeds);
  }

  /** Drops all but some rows. */
  keep(rows: readonly number[]): void {
    const into = this.#buffers?.next(rows.length, this.#positions);
    this.#whole = selectRows(this.#links, this.#whole, rows, into);
    this.#recent = this.#recent.map((made) => selectRows(this.#links, made, rows));
  }

  /** A piece without positions; caches of a shape share it, since making a thousand for each token takes time. */
  #nothing(past: string): RuntimeTensor {
    const { type, dims } = this.#whole[past]!;
    const empty = dims.with(2, 0);
    const key = empty.join('x');
    const known = this.#empty.get(key);
    if (known) return known;
    const made = zerosTensor(type, empty);
    this.#empty.set(key, made);
    return made;
  }
}
