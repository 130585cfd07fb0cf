/** Sessions of segments that are opened when they are needed, and may have to make room for each other. */
import type { OnnxModel } from '../onnx/file/model-file.js';
import { openSession, type Session, type RunOptions } from './session.js';
import type { SegmentSlot } from './segment-slot.js';

/** What runs one segment. */
export interface SegmentRunner {
  /** @param feeds may hold more than this segment takes */
  run(feeds: Parameters<Session['run']>[0], outputs?: readonly string[]): ReturnType<Session['run']>;
  /** Gives the memory back; the next run opens the segment again. */
  unload(): Promise<void>;
}

/** One segment's session: opened at its first use, and again whenever it had to make room. */
export class SegmentSession implements SegmentRunner {
  readonly #model: OnnxModel;
  readonly #options: RunOptions;
  readonly #slot: SegmentSlot | undefined;
  readonly #inputs: ReadonlySet<string>;
  #session: Session | undefined;

  /** @param options those of the whole model; the segment takes its room from them */
  constructor(model: OnnxModel, options: RunOptions) {
    this.#model = model;
    this.#slot = options.segments?.slot;
    this.#options = segmentOptions(options);
    this.#inputs = new Set(model.graph.input.map(({ name }) => name));
  }

  async run(feeds: Parameters<Session['run']>[0], outputs?: readonly string[]): ReturnType<Session['run']> {
    await this.#slot?.take(this);
    this.#session ??= await openSession(this.#model, this.#options);
    const own = Object.entries(feeds).filter(([name]) => this.#inputs.has(name));
    return await this.#session.run(Object.fromEntries(own), outputs);
  }

  async unload(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.release();
  }
}

/**
 * Options of one segment's session. No memory is kept from run to run, since each segment would keep its own; weights
 * that are loaded in turn are mapped.
 */
export function segmentOptions(options: RunOptions): RunOptions {
  const { segments, ...own } = options;
  if (!segments) return own;
  return { ...own, memoryArena: false, threadsSleep: true, mapWeights: segments.slot !== undefined };
}

/**
 * Options of a session that segments of one form share, which keeps the memory of a run for the next segment's, but where
 * segments are for the sake of memory: Electron's allocator gives large buffers back to the system at once, and gets them anew page by page.
 */
export function fedOptions(options: RunOptions): RunOptions {
  const { segments, ...own } = options;
  return { ...own, memoryArena: segments === undefined || !own.sparesMemory, threadsSleep: true };
}
