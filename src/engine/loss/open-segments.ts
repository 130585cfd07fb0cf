/**
 * Opens the segments of a gradient. Segments of the same form, as the layers of most models are, run in the same two
 * sessions, with their own weights.
 */
import type { Segment } from '../decoder/edit/cut-stream.js';
import type { Decoder } from '../decoder/decoder.js';
import { graphForm } from '../onnx/graph/graph-form.js';
import type { OnnxModel } from '../onnx/file/model-file.js';
import { FedSession } from '../runtime/fed-session.js';
import { weightNames } from '../runtime/fed-weights.js';
import { FormSession } from '../runtime/form-session.js';
import { borderRole } from '../runtime/form-sessions.js';
import { SegmentSession, fedOptions, type SegmentRunner } from '../runtime/segment-session.js';
import type { Feeds, RunOptions } from '../runtime/session.js';
import type { Leaf } from './add-gradients.js';
import { takeDecoded } from './decoded-weights.js';
import { segmentGraphs, type SegmentGradient, type SegmentGraphs } from './gradient-segment.js';
import { TokenChunks } from './token-chunks.js';

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

/** A segment as it runs; all names are its own. */
export interface GradientSegment {
  segment: Segment;
  /** Missing for the last segment. */
  forward: SegmentRunner | undefined;
  /** Weights that are decoded once and then fed. */
  decoded: Feeds;
  /** Missing below the first scale that is trained. */
  gradient:
    | {
        session: SegmentRunner;
        /** The gradients' names by the leaves', the stream going in among them. */
        outputs: ReadonlyMap<string, string>;
        /** What the forward part hands over. */
        products: readonly string[];
      }
    | undefined;
}

/** The sessions of a form; names are those of the first of its segments. */
interface OpenForm {
  values: readonly string[];
  forward: FedSession | undefined;
  gradient: (SegmentGradient & { session: FedSession }) | undefined;
  decoding: FedSession | undefined;
}

/** Opens segments from the first to the last. @throws UserError if an operator has no rule, or a segment does not load */
export async function openSegments(
  task: GradientTask,
  segments: readonly Segment[],
): Promise<GradientSegment[]> {
  const opening = new Opening(task);
  const opened: GradientSegment[] = [];
  for (const segment of segments) opened.push(await opening.open(segment));
  await opening.end();
  return opened;
}

class Opening {
  readonly #forms = new Map<string, OpenForm>();
  readonly #leaves: ReadonlySet<string>;
  readonly #decoding: FedSession[] = [];
  /** Of each probe: its feeds, and what the segments so far handed on. */
  #probes: Feeds[];
  #hasLeaf = false;

  constructor(readonly task: GradientTask) {
    this.#probes = task.probes.map((feeds) => ({ ...feeds }));
    this.#leaves = new Set(task.leaves.map(({ name }) => name));
  }

  async open(segment: Segment): Promise<GradientSegment> {
    const wantsStream = this.#hasLeaf && segment.streamIn !== undefined;
    this.#hasLeaf ||= segment.model.graph.input.some(({ name }) => this.#leaves.has(name));
    const opened = this.task.runOptions.segments?.slot
      ? this.#openAlone(segment, await this.#graphs(segment, wantsStream, true))
      : await this.#openShared(segment, wantsStream);
    if (opened.forward) await this.#passProbes(opened);
    return opened;
  }

  #openAlone(segment: Segment, { forward, gradient }: SegmentGraphs): GradientSegment {
    const { runOptions } = this.task;
    const { vocabularySize } = this.task.decoder;
    const session = (model: OnnxModel) => new SegmentSession(model, runOptions);
    return {
      segment,
      decoded: {},
      forward: forward && session(forward),
      gradient: gradient && {
        ...gradient,
        session: inChunks(segment, session(gradient.model), gradient.model, vocabularySize),
      },
    };
  }

  async #openShared(segment: Segment, wantsStream: boolean): Promise<GradientSegment> {
    const { model } = segment;
    const scaleRole = (border: string) => this.#scaleRole(border);
    const form = graphForm(model, weightNames(model.graph), (border) =>
      borderRole(segment, this.task.decoder, scaleRole, border),
    );
    const key = `${form.key} ${wantsStream} ${this.#hasLeaf}`;
    let shared = this.#forms.get(key);
    let decoded: Feeds | undefined;
    if (!shared) {
      const graphs = await this.#graphs(segment, wantsStream, false);
      ({ form: shared, decoded } = await this.#openForm(graphs, form.values));
      const sessions = [shared.forward, shared.gradient?.session, shared.decoding];
      if (sessions.every((session) => session?.takesAll ?? true)) this.#forms.set(key, shared);
    }
    const { forward, gradient, decoding, values } = shared;
    const outside = new Map(form.values.map((name, place) => [values[place]!, name]));
    const named = (name: string) => outside.get(name) ?? name;
    const own = (session: FedSession) => new FormSession(session, model, form, values);
    return {
      segment,
      decoded: decoded ?? (decoding ? await own(decoding).run({}) : {}),
      forward: forward && own(forward),
      gradient: gradient && {
        session: inChunks(segment, own(gradient.session), gradient.model, this.task.decoder.vocabularySize),
        outputs: new Map([...gradient.outputs].map(([leaf, name]) => [named(leaf), named(name)])),
        products: gradient.products.map(named),
      },
    };
  }

  /** @returns with the weights of the segment that the form is opened for */
  async #openForm(
    { forward, gradient, decoding }: SegmentGraphs,
    values: readonly string[],
  ): Promise<{ form: OpenForm; decoded: Feeds }> {
    const { runOptions } = this.task;
    const fed = (graph: OnnxModel) => new FedSession(graph, fedOptions(runOptions));
    const decodes = decoding && new FedSession(decoding, { ...fedOptions(runOptions), memoryArena: false });
    if (decodes) this.#decoding.push(decodes);
    const decoded = decodes ? await decodes.run({}) : {};
    for (const graph of [forward, gradient?.model]) if (graph) takeDecoded(graph, decoded);
    const form = {
      values,
      forward: forward && fed(forward),
      gradient: gradient && { ...gradient, session: fed(gradient.model) },
      decoding: decodes,
    };
    return { form, decoded };
  }

  /** Closes what is not needed once all segments are open. */
  async end(): Promise<void> {
    for (const session of this.#decoding) await session.unload();
  }

  /** @param isAlone whether the segment is loaded when it is needed, and its weights make room again */
  async #graphs(segment: Segment, wantsStream: boolean, isAlone: boolean): Promise<SegmentGraphs> {
    const { task } = this;
    const inputs = new Set(segment.model.graph.input.map(({ name }) => name));
    return await segmentGraphs({
      segment,
      loss: task.loss,
      leaves: task.leaves.filter(({ name }) => inputs.has(name)),
      wantsStream,
      hiddenSize: task.decoder.hiddenSize,
      probes: this.#probes.map((feeds) =>
        Object.fromEntries(Object.entries(feeds).filter(([name]) => inputs.has(name))),
      ),
      keepsProducts: !isAlone,
      decodes: !isAlone && !task.runOptions.sparesMemory,
      runOptions: task.runOptions,
    });
  }

  /** What the next segment's probes take from this one: shapes that it makes; any stream does, for its shape is the same. */
  async #passProbes({ segment, forward, decoded }: GradientSegment): Promise<void> {
    const { streamIn, streamOut, shapesOut } = segment;
    for (const feeds of this.#probes) {
      if (streamIn === undefined || shapesOut.length > 0)
        Object.assign(feeds, await forward!.run({ ...feeds, ...decoded }, [streamOut!, ...shapesOut]));
      else feeds[streamOut!] = feeds[streamIn]!;
    }
  }

  #scaleRole(border: string): string | undefined {
    if (this.#leaves.has(border)) return 'leaf';
    return this.task.gates.has(border) ? 'gate' : undefined;
  }
}

/** The last segment holds the head, whose results are as wide as the vocabulary. */
function inChunks(
  segment: Segment,
  session: SegmentRunner,
  { graph }: OnnxModel,
  vocabularySize: number,
): SegmentRunner {
  return segment.streamOut === undefined ? new TokenChunks(session, graph, vocabularySize) : session;
}
