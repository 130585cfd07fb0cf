/**
 * The gradient of a decoder in segments: forward through all but the last, which keeps the stream at each cut; then
 * backward, each segment computing from the stream going in, and from the gradient of the stream going out, those of its
 * scales and of the stream going in. The activations of one segment are in memory at a time.
 *
 * What the products with weights give forward is kept for the way back as far as there is room, or else computed again.
 */
import { cutAtLayers, cutStream } from '../decoder/edit/cut-stream.js';
import { freeTensor } from '../runtime/free-tensor.js';
import type { Feeds, RunnableModel } from '../runtime/session.js';
import type { RuntimeTensor } from '../runtime/tensors.js';
import { SEED } from './gradient-segment.js';
import { openSegments, type GradientSegment, type GradientTask } from './open-segments.js';

/** Bytes of products that are kept from forward to backward where memory is not limited. */
const KEPT_PRODUCTS = 1e9;

/**
 * @returns a model that takes the whole model's feeds, and its outputs' names by the leaves'
 * @throws UserError if an operator has no gradient rule, onnxruntime cannot load a segment, or it cannot be cut
 */
export async function openSegmentedGradient(
  task: GradientTask,
): Promise<{ model: RunnableModel; gradients: Map<string, string> }> {
  const { segments: options } = task.runOptions;
  const segments = options
    ? cutStream(task.decoder, options.firstLayers, { headApart: true })
    : cutAtLayers(task.decoder);
  const opened = await openSegments(task, segments);
  const gradients = new Map(task.leaves.map(({ name }) => [name, `${name}/gradient`]));
  // Where all segments stay open, nothing is won by going through them together.
  const streamBytes = options?.slot ? options.keptBytes : 0;
  const productBytes = options?.keptBytes ?? KEPT_PRODUCTS;
  return { model: new SegmentedGradient(opened, gradients, streamBytes, productBytes), gradients };
}

class SegmentedGradient implements RunnableModel {
  readonly #segments: readonly GradientSegment[];
  readonly #gradients: ReadonlyMap<string, string>;
  readonly #streamBytes: number;
  readonly #productBytes: number;

  /**
   * @param streamBytes of the stream at the cuts that may wait, so that runs go through each loaded segment together
   * @param productBytes of products that may be kept from forward to backward
   */
  constructor(
    segments: readonly GradientSegment[],
    gradients: ReadonlyMap<string, string>,
    streamBytes: number,
    productBytes: number,
  ) {
    this.#segments = segments;
    this.#gradients = gradients;
    this.#streamBytes = streamBytes;
    this.#productBytes = productBytes;
  }

  async run(feeds: Feeds): Promise<Results> {
    for await (const results of this.runEach([feeds])) return results;
    throw new RangeError('A run without results');
  }

  async *runEach(feeds: readonly Feeds[]): AsyncGenerator<Results> {
    const forward = this.#segments.filter((segment) => segment.forward);
    const backward = this.#segments.filter((segment) => segment.gradient).toReversed();
    for (let start = 0; start < feeds.length;) {
      const group: PassingGradient[] = [];
      let bytes = 0;
      while (start < feeds.length && (group.length === 0 || bytes < this.#streamBytes)) {
        const run = new PassingGradient(feeds[start]!, this.#gradients, this.#productBytes);
        if (forward[0]) bytes += forward.length * (await run.forward(forward[0]));
        group.push(run);
        start += 1;
      }
      for (const segment of forward.slice(1)) for (const run of group) await run.forward(segment);
      for (const segment of backward.slice(0, -1)) for (const run of group) await run.backward(segment);
      for (const run of group) {
        await run.backward(backward.at(-1)!);
        yield run.results;
      }
    }
  }

  async release(): Promise<void> {
    for (const { forward, gradient, decoded } of this.#segments) {
      await forward?.unload();
      await gradient?.session.unload();
      for (const weight of Object.values(decoded)) freeTensor(weight);
    }
  }
}

type Results = Record<string, RuntimeTensor>;

/** One run on its way through the segments and back. */
class PassingGradient {
  readonly results: Results = {};
  readonly #gradients: ReadonlyMap<string, string>;
  /** The feeds, and the stream and shapes at each cut. */
  readonly #known: Feeds;
  /** Products by segment: what several segments compute alike, out of the model's inputs, has one name in all. */
  readonly #kept = new Map<GradientSegment, Feeds>();
  #room: number;
  #seed: Feeds = {};

  constructor(feeds: Feeds, gradients: ReadonlyMap<string, string>, productBytes: number) {
    this.#known = { ...feeds };
    this.#gradients = gradients;
    this.#room = productBytes;
  }

  /** @returns bytes of the stream that came out */
  async forward(segment: GradientSegment): Promise<number> {
    const { streamOut } = segment.segment;
    const keeps = this.#room > 0;
    const { borders, products } = await runForward(segment, this.#known, keeps);
    if (keeps) this.#kept.set(segment, products);
    for (const product of Object.values(products)) this.#room -= bytesOf(product);
    Object.assign(this.#known, borders);
    return bytesOf(this.#known[streamOut!]!);
  }

  async backward(segment: GradientSegment): Promise<void> {
    const { segment: borders, gradient } = segment;
    const { streamIn } = borders;
    const products = await this.#productsOf(segment);
    const results = await gradient!.session.run({
      ...this.#known,
      ...segment.decoded,
      ...products,
      ...this.#seed,
    });
    this.#kept.delete(segment);
    for (const done of [...Object.values(products), ...Object.values(this.#seed)]) freeTensor(done);
    for (const name of borders.outputs) this.results[name] = results[name]!;
    for (const [leaf, output] of gradient!.outputs) {
      if (leaf === streamIn) this.#seed = { [SEED]: results[output]! };
      else this.results[this.#gradients.get(leaf)!] = results[output]!;
    }
    if (streamIn === undefined) return;
    freeTensor(this.#known[streamIn]!);
    delete this.#known[streamIn];
  }

  async #productsOf(segment: GradientSegment): Promise<Feeds> {
    if (productsOf(segment).length === 0) return {};
    const kept = this.#kept.get(segment);
    if (kept) return kept;
    const { borders, products } = await runForward(segment, this.#known, true);
    freeTensor(borders[segment.segment.streamOut!]!);
    return products;
  }
}

function productsOf({ gradient }: GradientSegment): readonly string[] {
  return gradient?.products ?? [];
}

/** The stream and shapes that a segment gives, and its products where they are wanted. */
async function runForward(
  segment: GradientSegment,
  known: Feeds,
  withProducts: boolean,
): Promise<{ borders: Feeds; products: Feeds }> {
  const { streamOut, shapesOut } = segment.segment;
  const names = withProducts ? productsOf(segment) : [];
  const results = await segment.forward!.run({ ...known, ...segment.decoded }, [
    streamOut!,
    ...shapesOut,
    ...names,
  ]);
  const named = (wanted: readonly string[]) =>
    Object.fromEntries(wanted.map((name) => [name, results[name]!]));
  return { borders: named([streamOut!, ...shapesOut]), products: named(names) };
}

function bytesOf(tensor: RuntimeTensor): number {
  return (tensor.data as Float32Array).byteLength;
}
