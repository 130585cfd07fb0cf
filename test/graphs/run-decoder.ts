/** Runs a decoder of a test in onnxruntime: a few positions with an empty cache, then some more with it filled. */
import { branchesOf, type Decoder } from '../../src/engine/decoder/decoder.js';
import type { Gate } from '../../src/engine/decoder/gates.js';
import { pastNames, presentNames } from '../../src/engine/decoder/kv-cache.js';
import { emptyCache, tokenFeeds } from '../../src/engine/runtime/decoder-feeds.js';
import { openSession, type Feeds } from '../../src/engine/runtime/session.js';
import { float32Tensor, type RuntimeTensor } from '../../src/engine/runtime/tensors.js';

export interface RunOptions {
  rows?: number;
  /** Positions of the first and of the second run; for a model without a cache only the first counts. */
  positions?: readonly [number, number];
  /** Values of all elements of a gate by its name; the others are open: scales 1, offsets 0. */
  gates?: { all: readonly Gate[]; values: Readonly<Record<string, number>> };
  /** Feeds that the decoder's description does not cover. */
  extra?: (past: number, positions: number) => Feeds;
  optimisation?: 'disabled' | 'all';
}

/** Output tensors of each run. */
export type RunResults = Record<string, RuntimeTensor>[];

export async function runDecoder(decoder: Decoder, options: RunOptions = {}): Promise<RunResults> {
  const { rows = 2, positions = [5, 3] } = options;
  const session = await openSession(decoder.model, {
    threads: 1,
    optimisation: options.optimisation ?? 'disabled',
  });
  try {
    const feed = (past: number, count: number): Feeds => ({
      ...tokenFeeds(decoder, { rows, positions: count, ids: someTokens(decoder, rows * count, past) }, past),
      ...gateFeeds(options.gates),
      ...options.extra?.(past, count),
    });
    const first = await session.run({ ...feed(0, positions[0]), ...emptyCache(decoder, rows) });
    if (decoder.inputs.cache.length === 0) return [first];
    const second = await session.run({
      ...feed(positions[0], positions[1]),
      ...presentAsPast(decoder, first),
    });
    return [first, second];
  } finally {
    await session.release();
  }
}

function someTokens(decoder: Decoder, count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, index) => (index * 7 + seed * 3 + 1) % decoder.vocabularySize);
}

function presentAsPast(decoder: Decoder, results: Record<string, RuntimeTensor>): Feeds {
  const caches = branchesOf(decoder).flatMap((branch) => branch.cache ?? []);
  return Object.fromEntries(
    caches.flatMap((cache) => {
      const presents = presentNames(cache);
      return pastNames(cache).map((past, index) => [past, results[presents[index]!]!]);
    }),
  );
}

function gateFeeds(gates: RunOptions['gates']): Feeds {
  return Object.fromEntries(
    (gates?.all ?? []).map((gate) => {
      const dims = gate.shape.map((dim) => (typeof dim === 'number' ? dim : 1));
      const size = dims.reduce((product, dim) => product * dim, 1);
      const open = gate.kind === 'offset' ? 0 : 1;
      const value = gates!.values[gate.name] ?? open;
      return [gate.name, float32Tensor(new Float32Array(size).fill(value), dims)];
    }),
  );
}

/** The largest difference of any element of the outputs that both runs have. */
export function largestDifference(a: RunResults, b: RunResults): number {
  let largest = 0;
  a.forEach((results, run) => {
    for (const [name, tensor] of Object.entries(results)) {
      const other = b[run]![name];
      if (!other) continue;
      const [one, two] = [numbers(tensor), numbers(other)];
      if (one.length !== two.length)
        throw new RangeError(`${name} has ${one.length} and ${two.length} elements`);
      for (let index = 0; index < one.length; index += 1) {
        const difference = Math.abs(one[index]! - two[index]!);
        if (!(difference <= largest)) largest = difference;
      }
    }
  });
  return largest;
}

function numbers(tensor: RuntimeTensor): ArrayLike<number> {
  if (tensor.type !== 'float16' && tensor.type !== 'float32')
    throw new RangeError(`Unexpected type ${tensor.type}`);
  return tensor.data as ArrayLike<number>;
}
