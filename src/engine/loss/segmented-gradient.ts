/**
 * The gradient of a decoder in segments: forward through all but the last, which keeps the stream at each cut; then
 * backward, each segment computing from the stream going in, and from the gradient of the stream going out, those of its
 * scales and of the stream going in. The activations of one segment are in memory at a time.
 *
 * Segments of the same form, as the layers of most models are, run in the same two sessions, with their own weights. What
 * their products with weights give forward is kept for the way back as far as there is room, or else computed again.
 */
import { cutAtLayers, cutStream, type Segment } from '../decoder/edit/cut-stream.js';
import type { Decoder } from '../decoder/decoder.js';
import { graphForm, type GraphForm } from '../onnx/graph/graph-form.js';
import type { OnnxModel } from '../onnx/file/model-file.js';
import { FedSession } from '../runtime/fed-session.js';
import { weightFeeds, weightNames } from '../runtime/fed-weights.js';
import { SegmentSession } from '../runtime/segment-session.js';
import type { Feeds, RunnableModel, RunOptions } from '../runtime/session.js';
import type { RuntimeTensor } from '../runtime/tensors.js';
import type { Leaf } from './add-gradients.js';
import { SEED, segmentGraphs } from './gradient-segment.js';

export interface GradientTask {
  /** With gates and loss, of float32 throughout. */
  decoder: Decoder;
  /** The value that is differentiated. */
  loss: string;
  /** Names of all gates. */
  gates: ReadonlySet<string>;
  leaves: readonly Leaf[];
  /** Feeds of two sizes. */
  probes: readonly Feeds[];
  runOptions: RunOptions;
}

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
  const segments = options ? cutStream(task.decoder, options.firstLayers) : cutAtLayers(task.decoder);
  const opening = new Opening(task);
  const opened: GradientSegment[] = [];
  for (const segment of segments) opened.push(await opening.open(segment));
  const gradients = new Map(task.leaves.map(({ name }) => [name, `${name}/gradient`]));
  // Where all segments stay open, nothing is won by going through them together.
  const streamBytes = options?.slot ? options.keptBytes : 0;
  const productBytes = options?.keptBytes ?? KEPT_PRODUCTS;
  return { model: new SegmentedGradient(opened, gradients, streamBytes, productBytes), gradients };
}

/** The sessions of all segments of one form; names are those of the first of them. */
interface SegmentSessions {
  values: readonly string[];
  forward: SegmentSession | FedSession | undefined;
  gradient:
    | {
        session: SegmentSession | FedSession;
        outputs: ReadonlyMap<string, string>;
        products: readonly string[];
      }
    | undefined;
}

/** Opens the segments from the first to the last. */
class Opening {
  readonly #forms = new Map<string, SegmentSessions>();
  readonly #leaves: ReadonlySet<string>;
  /** Of each probe: its feeds, and what the segments so far handed on. */
  #probes: Feeds[];
  #hasLeaf = false;

  constructor(readonly task: GradientTask) {
    this.#probes = task.probes.map((feeds) => ({ ...feeds }));
    this.#leaves = new Set(task.leaves.map(({ name }) => name));
  }

  async open(segment: Segment): Promise<GradientSegment> {
    const { model } = segment;
    const wantsStream = this.#hasLeaf && segment.streamIn !== undefined;
    this.#hasLeaf ||= model.graph.input.some(({ name }) => this.#leaves.has(name));
    const weights = weightNames(model.graph);
    const form = graphForm(model, weights, (border) => this.#role(segment, border));
    const key = `${form.key} ${wantsStream} ${this.#hasLeaf}`;
    const known = this.#forms.get(key);
    const sessions = known ?? (await this.#openForm(segment, form, wantsStream));
    if (takesAll(sessions.forward) && takesAll(sessions.gradient?.session)) this.#forms.set(key, sessions);
    const opened = new GradientSegment(segment, form, sessions, known ? weightFeeds(model, weights) : {});
    if (sessions.forward) await this.#passProbes(opened);
    return opened;
  }

  async #openForm(segment: Segment, form: GraphForm, wantsStream: boolean): Promise<SegmentSessions> {
    const { task } = this;
    const inputs = new Set(segment.model.graph.input.map(({ name }) => name));
    const slot = task.runOptions.segments?.slot;
    const { forward, gradient } = await segmentGraphs({
      segment,
      loss: task.loss,
      leaves: task.leaves.filter(({ name }) => inputs.has(name)),
      wantsStream,
      hiddenSize: task.decoder.hiddenSize,
      probes: this.#probes.map((feeds) => only(feeds, inputs)),
      keepsProducts: !slot,
      runOptions: task.runOptions,
    });
    const open = (model: OnnxModel) =>
      slot ? new SegmentSession(model, task.runOptions) : new FedSession(model, fedOptions(task.runOptions));
    return {
      values: form.values,
      forward: forward && open(forward),
      gradient: gradient && { ...gradient, session: open(gradient.model) },
    };
  }

  /** What the next segment's probes take from this one: shapes that it makes; any stream does, for its shape is the same. */
  async #passProbes(segment: GradientSegment): Promise<void> {
    const { streamIn, streamOut, shapesOut } = segment.segment;
    for (const feeds of this.#probes) {
      if (streamIn === undefined || shapesOut.length > 0)
        Object.assign(feeds, await segment.forward(feeds, false));
      else feeds[streamOut!] = feeds[streamIn]!;
    }
  }

  #role({ streamIn, streamOut, shapesIn, shapesOut }: Segment, border: string): string {
    if (border === streamIn) return 'stream in';
    if (border === streamOut) return 'stream out';
    if (shapesIn.includes(border) || shapesOut.includes(border)) return 'shape';
    if (this.#leaves.has(border)) return 'leaf';
    // Caches are empty, and of the same shape where layers are alike.
    if (this.task.decoder.inputs.cache.includes(border)) return 'cache';
    return this.task.gates.has(border) ? 'gate' : border;
  }
}

/** Whether segments of the same form can run in a session. */
function takesAll(session: SegmentSession | FedSession | undefined): boolean {
  return session === undefined || (session instanceof FedSession && session.takesAll);
}

function fedOptions({ segments, ...own }: RunOptions): RunOptions {
  return { ...own, memoryArena: segments === undefined, threadsSleep: true };
}

function only(feeds: Feeds, names: ReadonlySet<string>): Feeds {
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => names.has(name)));
}

/** A segment in the sessions of its form. */
class GradientSegment {
  readonly #sessions: SegmentSessions;
  readonly #weights: Feeds;
  /** Names that the sessions have for this segment's, and the other way round. */
  readonly #inside: ReadonlyMap<string, string>;
  readonly #outside: ReadonlyMap<string, string>;

  constructor(
    readonly segment: Segment,
    form: GraphForm,
    sessions: SegmentSessions,
    weights: Feeds,
  ) {
    this.#sessions = sessions;
    this.#inside = new Map(form.values.map((name, place) => [name, sessions.values[place]!]));
    this.#outside = new Map(form.values.map((name, place) => [sessions.values[place]!, name]));
    this.#weights = this.#renamed(weights, this.#inside);
  }

  get hasForward(): boolean {
    return this.#sessions.forward !== undefined;
  }

  get hasGradient(): boolean {
    return this.#sessions.gradient !== undefined;
  }

  get handsOver(): boolean {
    return (this.#sessions.gradient?.products.length ?? 0) > 0;
  }

  /** @returns the stream and shapes, and the products by the sessions' names where they are wanted */
  async forward(known: Feeds, withProducts: boolean): Promise<Feeds> {
    const { streamOut, shapesOut } = this.segment;
    const own = [streamOut!, ...shapesOut].map((name) => this.#inside.get(name)!);
    const products = withProducts ? this.#sessions.gradient!.products : [];
    const results = await this.#sessions.forward!.run(this.#feeds(known), [...own, ...products]);
    return this.#renamed(results, this.#outside);
  }

  /** @returns the gradients by the leaves' names, and outputs of the whole model */
  async backward(known: Feeds): Promise<{ gradients: Feeds; outputs: Feeds }> {
    const { session, outputs } = this.#sessions.gradient!;
    const results = await session.run(this.#feeds(known));
    const gradients = [...outputs].map(([leaf, name]) => [this.#outside.get(leaf)!, results[name]!] as const);
    const own = this.segment.outputs.map((name) => [name, results[this.#inside.get(name)!]!] as const);
    return { gradients: Object.fromEntries(gradients), outputs: Object.fromEntries(own) };
  }

  async unload(): Promise<void> {
    await this.#sessions.forward?.unload();
    await this.#sessions.gradient?.session.unload();
  }

  #feeds(known: Feeds): Feeds {
    // What an earlier segment has the name for that the sessions have for a value of this one is not meant.
    const own = Object.entries(known).filter(([name]) => this.#inside.has(name) || !this.#outside.has(name));
    return { ...this.#renamed(Object.fromEntries(own), this.#inside), ...this.#weights };
  }

  #renamed(feeds: Feeds, names: ReadonlyMap<string, string>): Feeds {
    return Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [names.get(name) ?? name, tensor]));
  }
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
    const forward = this.#segments.filter((segment) => segment.hasForward);
    const backward = this.#segments.filter((segment) => segment.hasGradient).toReversed();
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
    for (const segment of this.#segments) await segment.unload();
  }
}

type Results = Record<string, RuntimeTensor>;

/** One run on its way through the segments and back. */
class PassingGradient {
  readonly results: Results = {};
  readonly #gradients: ReadonlyMap<string, string>;
  /** The feeds, and the stream and shapes at each cut. */
  readonly #known: Feeds;
  readonly #products = new Map<GradientSegment, Feeds>();
  #room: number;
  #seed: Feeds = {};

  constructor(feeds: Feeds, gradients: ReadonlyMap<string, string>, productBytes: number) {
    this.#known = { ...feeds };
    this.#gradients = gradients;
    this.#room = productBytes;
  }

  /** @returns bytes of the stream that came out */
  async forward(segment: GradientSegment): Promise<number> {
    const keeps = segment.handsOver && this.#room > 0;
    const { streamOut, shapesOut } = segment.segment;
    const passed = new Set([streamOut!, ...shapesOut]);
    const results = await segment.forward(this.#known, keeps);
    Object.assign(this.#known, only(results, passed));
    if (keeps) {
      for (const name of passed) delete results[name];
      this.#products.set(segment, results);
      for (const { data } of Object.values(results)) this.#room -= (data as Float32Array).byteLength;
    }
    return (this.#known[streamOut!]!.data as Float32Array).byteLength;
  }

  async backward(segment: GradientSegment): Promise<void> {
    const { streamIn } = segment.segment;
    const products = segment.handsOver
      ? (this.#products.get(segment) ?? (await segment.forward(this.#known, true)))
      : {};
    this.#products.delete(segment);
    const { gradients, outputs } = await segment.backward({ ...this.#known, ...products, ...this.#seed });
    Object.assign(this.results, outputs);
    for (const [leaf, gradient] of Object.entries(gradients)) {
      if (leaf === streamIn) this.#seed = { [SEED]: gradient };
      else this.results[this.#gradients.get(leaf)!] = gradient;
    }
    if (streamIn !== undefined) delete this.#known[streamIn];
  }
}
