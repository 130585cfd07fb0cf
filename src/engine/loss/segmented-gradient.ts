/**
 * The gradient of a decoder in segments: forward through all but the last, which keeps the stream at each cut; then
 * backward, each segment computing its own forward part again and, from the gradient of the stream going out, those of
 * its scales and of the stream going in. The activations of one segment are in memory at a time.
 */
import { cutStream, type Segment } from '../decoder/edit/cut-stream.js';
import type { Decoder } from '../decoder/decoder.js';
import { DataType } from '../onnx/graph/data-types.js';
import { Graph } from '../onnx/graph/graph.js';
import { copyModel } from '../onnx/file/model-file.js';
import { makeValueInfo } from '../onnx/graph/value-info.js';
import { SegmentSession } from '../runtime/segment-session.js';
import type { Feeds, RunnableModel, RunOptions } from '../runtime/session.js';
import { float32Tensor, type RuntimeTensor } from '../runtime/tensors.js';
import { addGradients, lowerModel, type Leaf } from './add-gradients.js';

export interface GradientTask {
  /** With gates and loss, of float32 throughout. */
  decoder: Decoder;
  /** The value that is differentiated. */
  loss: string;
  leaves: readonly Leaf[];
  /** Feeds of two sizes. */
  probes: readonly Feeds[];
  runOptions: RunOptions;
}

/** A segment's two graphs. The gradient's is missing below the first scale that is trained. */
interface GradientSegment {
  segment: Segment;
  /** Missing for the last segment, whose forward part is in its gradient. */
  forward: SegmentSession | undefined;
  gradient: { session: SegmentSession; outputs: ReadonlyMap<string, string> } | undefined;
}

/** float32 [rows, positions, hidden size]: the gradient of the loss by the stream that goes out of a segment. */
const SEED = 'hopscotch.stream_gradient';

/**
 * @returns a model that takes the whole model's feeds, and its outputs' names by the leaves'
 * @throws UserError if an operator has no gradient rule, onnxruntime cannot load a segment, or it cannot be cut
 */
export async function openSegmentedGradient(
  task: GradientTask,
): Promise<{ model: RunnableModel; gradients: Map<string, string> }> {
  const segments = cutStream(task.decoder, task.runOptions.segments!.firstLayers);
  const opened: GradientSegment[] = [];
  let passed: Feeds[] = task.probes.map(() => ({}));
  let hasLeaf = false;
  for (const segment of segments) {
    const probes = task.probes.map((feeds, index) => ownFeeds(segment, { ...feeds, ...passed[index] }));
    await lowerModel(segment.model, probes, task.runOptions);
    const forward =
      segment.streamOut === undefined
        ? undefined
        : new SegmentSession(copyModel(segment.model), task.runOptions);
    if (forward) passed = await passProbes(forward, probes, passed);
    const leaves = task.leaves.filter(({ name }) => hasInput(segment, name));
    const wantsStream = hasLeaf && segment.streamIn !== undefined;
    hasLeaf ||= leaves.length > 0;
    const gradient = hasLeaf ? await gradientOf(task, segment, leaves, wantsStream, probes) : undefined;
    opened.push({ segment, forward, gradient });
  }
  const gradients = new Map(task.leaves.map(({ name }) => [name, `${name}/gradient`]));
  const { slot, keptBytes } = task.runOptions.segments!;
  // Where all segments stay open, nothing is won by going through them together.
  return { model: new SegmentedGradient(opened, gradients, slot ? keptBytes : 0), gradients };
}

/** The probes go through the segment for the sake of the next one's. */
async function passProbes(
  forward: SegmentSession,
  probes: readonly Feeds[],
  before: readonly Feeds[],
): Promise<Feeds[]> {
  const passed: Feeds[] = [];
  for (const [index, feeds] of probes.entries()) {
    passed.push({ ...before[index], ...(await forward.run(feeds)) });
  }
  return passed;
}

async function gradientOf(
  task: GradientTask,
  segment: Segment,
  leaves: readonly Leaf[],
  wantsStream: boolean,
  probes: readonly Feeds[],
): Promise<{ session: SegmentSession; outputs: ReadonlyMap<string, string> }> {
  const { streamIn, streamOut } = segment;
  const graph = new Graph(segment.model.graph);
  const streamShape = ['rows', 'positions', task.decoder.hiddenSize];
  if (streamOut !== undefined) {
    graph.addInput(makeValueInfo(SEED, DataType.FLOAT, streamShape));
    graph.removeOutputs(new Set([streamOut, ...segment.shapesOut]));
  }
  const seeded = probes.map((feeds, index) =>
    streamOut === undefined ? feeds : { ...feeds, ...seedOfProbe(task, index) },
  );
  const outputs = await addGradients(segment.model, {
    result: streamOut ?? task.loss,
    seed: streamOut && SEED,
    leaves: wantsStream ? [...leaves, { name: streamIn!, shape: streamShape }] : leaves,
    probes: seeded,
    runOptions: task.runOptions,
  });
  return { session: new SegmentSession(segment.model, task.runOptions), outputs };
}

function seedOfProbe({ decoder, probes }: GradientTask, index: number): Feeds {
  const dims = [...probes[index]![decoder.inputs.tokens]!.dims, decoder.hiddenSize];
  return { [SEED]: float32Tensor(new Float32Array(dims.reduce((size, dim) => size * dim, 1)), dims) };
}

function hasInput(segment: Segment, name: string): boolean {
  return segment.model.graph.input.some((input) => input.name === name);
}

function ownFeeds(segment: Segment, feeds: Feeds): Feeds {
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => hasInput(segment, name)));
}

class SegmentedGradient implements RunnableModel {
  readonly #segments: readonly GradientSegment[];
  readonly #gradients: ReadonlyMap<string, string>;
  readonly #keptBytes: number;

  /** @param keptBytes of the stream at the cuts that may wait, so that runs go through each loaded segment together */
  constructor(
    segments: readonly GradientSegment[],
    gradients: ReadonlyMap<string, string>,
    keptBytes: number,
  ) {
    this.#segments = segments;
    this.#gradients = gradients;
    this.#keptBytes = keptBytes;
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
      while (start < feeds.length && (group.length === 0 || bytes < this.#keptBytes)) {
        const run = new PassingGradient(feeds[start]!, this.#gradients);
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
    for (const { forward, gradient } of this.#segments) {
      await forward?.unload();
      await gradient?.session.unload();
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
  #seed: Feeds = {};

  constructor(feeds: Feeds, gradients: ReadonlyMap<string, string>) {
    this.#known = { ...feeds };
    this.#gradients = gradients;
  }

  /** @returns bytes of the stream that came out */
  async forward({ segment, forward }: GradientSegment): Promise<number> {
    Object.assign(this.#known, await forward!.run(this.#known));
    return (this.#known[segment.streamOut!]!.data as Float32Array).byteLength;
  }

  async backward({ segment, gradient }: GradientSegment): Promise<void> {
    const own = await gradient!.session.run({ ...this.#known, ...this.#seed });
    for (const name of segment.outputs) this.results[name] = own[name]!;
    for (const [leaf, output] of gradient!.outputs) {
      if (leaf === segment.streamIn) this.#seed = { [SEED]: own[output]! };
      else this.results[this.#gradients.get(leaf)!] = own[output]!;
    }
    if (segment.streamIn !== undefined) delete this.#known[segment.streamIn];
  }
}
