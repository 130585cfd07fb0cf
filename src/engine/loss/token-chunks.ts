/**
 * The head in chunks of the positions that carry loss: its results are as wide as the vocabulary, and those of a whole
 * batch would take more memory than all layers.
 */
import type { GraphProto } from '../onnx/file/onnx_pb.js';
import { declaredDims } from '../onnx/graph/value-info.js';
import type { SegmentRunner } from '../runtime/segment-session.js';
import type { Feeds } from '../runtime/session.js';
import { float32Tensor, joinTensors, sliceTensor, type RuntimeTensor } from '../runtime/tensors.js';
import { HIDDEN_WEIGHTS } from './hidden-match.js';
import { LOSS_INPUTS, LOSS_OUTPUTS } from './loss-values.js';

/**
 * Bytes that the logits of a chunk take, and at the most, where fewer than so many tokens would fit: the head's weights are
 * read anew for each chunk. Some three values are as large at a time.
 */
const CHUNK = { bytes: 2.5e7, tokens: 128, mostBytes: 1e8 };

/** The name that the loss graph declares for the dimension of positions that carry loss. */
const LOSS_TOKENS = 'loss_tokens';

type Results = Record<string, RuntimeTensor>;

export class TokenChunks implements SegmentRunner {
  readonly #session: SegmentRunner;
  readonly #sliced: readonly string[];
  /** Outputs of which each chunk gives a part, and the axis of the positions; all others are sums over the positions. */
  readonly #joined: ReadonlyMap<string, number>;
  readonly #outputs: readonly string[];
  readonly #largest: number;

  /** @param graph the graph that the session runs, with the names that are used for it */
  constructor(session: SegmentRunner, graph: GraphProto, vocabularySize: number) {
    this.#session = session;
    const axisOf = (info: GraphProto['input'][number]) => (declaredDims(info) ?? []).indexOf(LOSS_TOKENS);
    this.#sliced = graph.input.filter((info) => axisOf(info) === 0).map(({ name }) => name);
    this.#outputs = graph.output.map(({ name }) => name);
    this.#joined = new Map(
      graph.output.flatMap((info) => (axisOf(info) < 0 ? [] : [[info.name, axisOf(info)] as const])),
    );
    const tokensIn = (bytes: number) => Math.floor(bytes / (vocabularySize * Float32Array.BYTES_PER_ELEMENT));
    this.#largest = Math.max(1, tokensIn(CHUNK.bytes), Math.min(CHUNK.tokens, tokensIn(CHUNK.mostBytes)));
  }

  async run(feeds: Feeds, outputs: readonly string[] = this.#outputs): Promise<Results> {
    const count = feeds[LOSS_INPUTS.positions]!.dims[0]!;
    const chunks = Math.ceil(count / this.#largest);
    if (chunks < 2) return await this.#session.run(feeds, outputs);
    const parts: Results[] = [];
    for (let chunk = 0; chunk < chunks; chunk += 1) {
      const [start, end] = [chunk, chunk + 1].map((at) => Math.round((at * count) / chunks));
      const sliced = this.#sliced.map((name) => [name, sliceTensor(feeds[name]!, start!, end!)] as const);
      const own = { ...feeds, ...Object.fromEntries(sliced), ...(chunk > 0 ? withoutMatch(feeds) : {}) };
      const wanted = chunk === 0 ? outputs : outputs.filter((name) => name !== LOSS_OUTPUTS.hidden);
      const results = await this.#session.run(own, wanted);
      if (chunk === 0) parts.push(results);
      else this.#take(parts, results);
    }
    return this.#merged(parts);
  }

  async unload(): Promise<void> {
    await this.#session.unload();
  }

  /** Sums are added up at once; parts wait for the others. */
  #take(parts: Results[], results: Results): void {
    const part: Results = {};
    for (const [name, tensor] of Object.entries(results)) {
      if (this.#joined.has(name)) part[name] = tensor;
      else addTo(parts[0]![name]!.data as Float32Array, tensor.data as Float32Array);
    }
    parts.push(part);
  }

  #merged(parts: readonly Results[]): Results {
    const merge = (name: string, first: RuntimeTensor) => {
      const axis = this.#joined.get(name);
      return axis === undefined
        ? first
        : joinTensors(
            parts.map((part) => part[name]!),
            axis,
          );
    };
    return Object.fromEntries(Object.entries(parts[0]!).map(([name, first]) => [name, merge(name, first)]));
  }
}

/** The distance from the original's hidden states is one sum over all positions: it counts in the first chunk. */
function withoutMatch(feeds: Feeds): Feeds {
  const weights = feeds[HIDDEN_WEIGHTS];
  if (!weights) return {};
  return { [HIDDEN_WEIGHTS]: float32Tensor(new Float32Array(weights.data.length), weights.dims) };
}

function addTo(sum: Float32Array, values: Float32Array): void {
  for (let index = 0; index < sum.length; index += 1) sum[index]! += values[index]!;
}
