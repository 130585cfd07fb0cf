/** A decoder that runs like one session, segment by segment. */
import { cutStream, type Segment } from '../decoder/edit/cut-stream.js';
import type { Decoder } from '../decoder/decoder.js';
import { DataType } from '../onnx/graph/data-types.js';
import { declaredType } from '../onnx/graph/value-info.js';
import { SegmentSession, type SegmentRunner } from './segment-session.js';
import { openSession, type Feeds, type RunnableModel, type RunOptions } from './session.js';
import { rememberFeeds, sameFeeds, type SeenFeeds } from './repeated-feeds.js';
import type { RuntimeTensor } from './tensors.js';

/**
 * Opens a decoder, in segments where the options say so.
 * @throws UserError if onnxruntime cannot load it or it cannot be cut
 */
export async function openDecoder(decoder: Decoder, options: RunOptions = {}): Promise<RunnableModel> {
  if (!options.segments) return await openSession(decoder.model, options);
  const segments = cutStream(decoder, options.segments.firstLayers);
  return new SegmentedModel(
    segments.map((segment) => ({ segment, session: new SegmentSession(segment.model, options) })),
    options.segments.keptBytes,
  );
}

/** A segment and what runs it. */
export interface RunSegment {
  segment: Segment;
  session: SegmentRunner;
  /** What it was asked last: runs that differ in later layers only need the earlier ones once. */
  last?: { feeds: SeenFeeds; results: Results };
}

type Results = Record<string, RuntimeTensor>;

export class SegmentedModel implements RunnableModel {
  readonly #segments: readonly RunSegment[];
  readonly #keptBytes: number;

  constructor(segments: readonly RunSegment[], keptBytes: number) {
    this.#segments = segments;
    this.#keptBytes = keptBytes;
  }

  async run(feeds: Feeds, outputs?: readonly string[]): Promise<Results> {
    for await (const results of this.runEach([feeds], outputs)) return results;
    throw new RangeError('A run without results');
  }

  async *runEach(feeds: readonly Feeds[], outputs?: readonly string[]): AsyncGenerator<Results> {
    const [first, ...rest] = this.#segments;
    for (let start = 0; start < feeds.length;) {
      const group: PassingRun[] = [];
      let bytes = 0;
      while (start < feeds.length && (group.length === 0 || bytes < this.#keptBytes)) {
        const run = new PassingRun(feeds[start]!, outputs);
        bytes += await run.pass(first!);
        group.push(run);
        start += 1;
      }
      for (const middle of rest.slice(0, -1)) for (const run of group) await run.pass(middle);
      for (const run of group) {
        if (rest.length > 0) await run.pass(rest.at(-1)!);
        yield run.results;
      }
    }
  }

  /** The name of the stream that goes into the last segment, if it takes nothing else from those before it. */
  get lastStream(): string | undefined {
    const { model, streamIn, shapesIn } = this.#segments.at(-1)!.segment;
    const info = model.graph.input.find(({ name }) => name === streamIn);
    return info && shapesIn.length === 0 && declaredType(info) === DataType.FLOAT ? streamIn : undefined;
  }

  /** The last segment alone. @param feeds what it takes, the stream among them */
  async runLast(feeds: Feeds, outputs: readonly string[]): Promise<Results> {
    return await this.#segments.at(-1)!.session.run(feeds, outputs);
  }

  async release(): Promise<void> {
    for (const { session } of this.#segments) await session.unload();
  }
}

/** One run on its way through the segments. */
class PassingRun {
  readonly results: Results = {};
  readonly #feeds: Feeds;
  readonly #outputs: readonly string[] | undefined;
  /** Shapes that go on to any later segment, and the stream, which goes on to the next. */
  #shapes: Feeds = {};
  #stream: Feeds = {};

  constructor(feeds: Feeds, outputs: readonly string[] | undefined) {
    this.#feeds = feeds;
    this.#outputs = outputs;
  }

  /** @returns bytes of the stream that came out */
  async pass(run: RunSegment): Promise<number> {
    const { segment } = run;
    const { streamOut, shapesOut } = segment;
    const own = segment.outputs.filter((name) => this.#outputs?.includes(name) ?? true);
    const wanted = [...(streamOut === undefined ? [] : [streamOut]), ...shapesOut, ...own];
    const results = await resultsOf(run, { ...this.#feeds, ...this.#shapes, ...this.#stream }, wanted);
    for (const name of own) this.results[name] = results[name]!;
    for (const name of shapesOut) this.#shapes[name] = results[name]!;
    this.#stream = {};
    if (streamOut === undefined) return 0;
    this.#stream = { [streamOut]: results[streamOut]! };
    return (results[streamOut]!.data as Float32Array).byteLength;
  }
}

async function resultsOf(run: RunSegment, feeds: Feeds, wanted: readonly string[]): Promise<Results> {
  const names = run.segment.model.graph.input.map((input) => input.name);
  const { last } = run;
  if (last && wanted.every((name) => name in last.results) && sameFeeds(feeds, last.feeds, names)) {
    return last.results;
  }
  const results = await run.session.run(feeds, wanted);
  run.last = { feeds: rememberFeeds(feeds, names), results };
  return results;
}
