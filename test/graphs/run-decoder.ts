/** Runs a decoder of a test in onnxruntime: a few positions with an empty cache, then some more with it filled. */
import { blocksOf, type Decoder } from '../../src/engine/decoder/decoder.js';
import type { Gate } from '../../src/engine/decoder/edit/gates.js';
import { pastNames, presentNames } from '../../src/engine/decoder/read/kv-cache.js';
import { emptyCache, tokenFeeds } from '../../src/engine/runtime/decoder-feeds.js';
import { openSession, type Feeds, type Session } from '../../src/engine/runtime/session.js';
import { float32Tensor, type RuntimeTensor } from '../../src/engine/runtime/tensors.js';

export interface RunOptions {
  rows?: number;
  /** Positions of the first and of the second run; for a model without a cache only the first counts. */
  positions?: readonly [number, number];
  /** The token at a position, in every row. Default: some tokens, other ones in each row. */
  tokens?: (position: number) => number;
  /** Values of all elements of a gate by its name; the others are 1. */
  gates?: { all: readonly Gate[]; values: Readonly<Record<string, number>> };
}

/** Output tensors of each run. */
export type RunResults = Record<string, RuntimeTensor>[];

/** Runs a decoder once. */
export async function runDecoder(decoder: Decoder, options: RunOptions = {}): Promise<RunResults> {
  const runner = await DecoderRunner.open(decoder);
  try {
    return await runner.run(options);
  } finally {
    await runner.release();
  }
}

/** Runs a decoder several times, with different gates for instance. */
export class DecoderRunner {
  private constructor(
    readonly decoder: Decoder,
    readonly session: Session,
  ) {}

  /** Without onnxruntime's fusions, so that results can be compared to the bit. */
  static async open(decoder: Decoder): Promise<DecoderRunner> {
    return new DecoderRunner(
      decoder,
      await openSession(decoder.model, { threads: 1, optimisation: 'disabled' }),
    );
  }

  async run(options: RunOptions = {}): Promise<RunResults> {
    const { decoder, session } = this;
    const { rows = 2, positions = [5, 3] } = options;
    const feed = (past: number, count: number): Feeds => {
      const ids = options.tokens
        ? repeat(options.tokens, rows, past, count)
        : someTokens(decoder, rows * count, past);
      return { ...tokenFeeds(decoder, { rows, positions: count, ids }, past), ...gateFeeds(options.gates) };
    };
    const first = await session.run({ ...feed(0, positions[0]), ...emptyCache(decoder, rows) });
    if (decoder.inputs.cache.length === 0) return [first];
    const second = await session.run({
      ...feed(positions[0], positions[1]),
      ...presentAsPast(decoder, first),
    });
    return [first, second];
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}

function repeat(tokens: (position: number) => number, rows: number, past: number, count: number): number[] {
  const row = Array.from({ length: count }, (_, index) => tokens(past + index));
  return Array.from({ length: rows }, () => row).flat();
}

function someTokens(decoder: Decoder, count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, index) => (index * 7 + seed * 3 + 1) % decoder.vocabularySize);
}

function presentAsPast(decoder: Decoder, results: Record<string, RuntimeTensor>): Feeds {
  const caches = blocksOf(decoder).flatMap((block) => block.cache ?? []);
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
      const size = gate.shape.reduce((product, dim) => product * dim, 1);
      const value = gates!.values[gate.name] ?? 1;
      return [gate.name, float32Tensor(new Float32Array(size).fill(value), gate.shape)];
    }),
  );
}

/** The largest difference of any element of the outputs that both runs have; not a number if one is none. */
export function largestDifference(a: RunResults, b: RunResults): number {
  let largest = 0;
  for (const [run, results] of a.entries()) {
    for (const [name, tensor] of Object.entries(results)) {
      const other = b[run]![name];
      if (!other) continue;
      const [one, two] = [numbers(tensor), numbers(other)];
      if (one.length !== two.length)
        throw new RangeError(`${name} has ${one.length} and ${two.length} elements`);
      for (let index = 0; index < one.length; index += 1) {
        const difference = Math.abs(one[index]! - two[index]!);
        if (Number.isNaN(difference)) return Number.NaN;
        largest = Math.max(largest, difference);
      }
    }
  }
  return largest;
}

function numbers(tensor: RuntimeTensor): ArrayLike<number> {
  if (tensor.type !== 'float16' && tensor.type !== 'float32')
    throw new RangeError(`Unexpected type ${tensor.type}`);
  return tensor.data as ArrayLike<number>;
}
