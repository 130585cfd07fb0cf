/** Text generation with the KV cache: batches of prompts, greedy or sampled, token by token. */
import type { ReadableRows } from '../data/encoded-row.js';
import { isBeyondBorder, type Decoder } from '../decoder/decoder.js';
import { throwIfCancelled, UserError } from '../../schema/errors.js';
import { readsRowsBesideCache } from '../decoder/read/fused-attention.js';
import { withFiniteMasks } from '../decoder/edit/finite-masks.js';
import { withRecentCache, type CachePieces } from '../decoder/edit/recent-cache.js';
import { withoutRepetitions } from '../decoder/edit/shared-heads.js';
import { tokenFeeds } from '../runtime/decoder-feeds.js';
import { openDecoder } from '../runtime/segmented-model.js';
import { openSession, type Feeds, type RunnableModel, type RunOptions } from '../runtime/session.js';
import { float32Values, logitsValues, type RuntimeTensor } from '../runtime/tensors.js';
import { cacheLinks, type CacheLink } from './cache-rows.js';
import type { GeneratedText, GenerationSettings, GenerationTiming } from './generation-settings.js';
import { GrowingCache } from './growing-cache.js';
import { NOT_NUMBERS } from '../loss/finite-losses.js';
import { LAST_STREAM, lastPositionHead } from './last-position-head.js';
import { promptBatches, sharedBeginning } from './prompt-batches.js';
import { greedyToken, holdsNaN, randomSource, sampleToken } from './sampling.js';

/** Runs whose keys and values are handed in one by one, until the cache is made whole again. */
const RECENT_RUNS = 8;

/** New tokens that take about as long as the prompt, for progress. */
const READING = 8;

/** A text in the making. */
interface Row {
  /** Index of its prompt. */
  prompt: number;
  /** The prompt, and what was generated so far. */
  ids: number[];
  random: () => number;
}

export class Generator {
  readonly #decoder: Decoder;
  readonly #model: RunnableModel;
  readonly #batchRows: number;
  readonly #links: readonly CacheLink[];
  readonly #pieces: ReadonlyMap<string, CachePieces>;
  /** Whether rows can be fed several tokens beside a cache. */
  readonly #readsOn: boolean;
  readonly #givesStream: boolean;
  /** Sums over all calls so far. */
  readonly timing: GenerationTiming = { promptTokens: 0, promptSeconds: 0, newTokens: 0, newSeconds: 0 };

  private constructor(
    decoder: Decoder,
    model: RunnableModel,
    batchRows: number,
    pieces: ReadonlyMap<string, CachePieces> = new Map(),
  ) {
    this.#decoder = decoder;
    this.#model = model;
    this.#batchRows = batchRows;
    this.#links = cacheLinks(decoder);
    this.#pieces = pieces;
    this.#readsOn = readsRowsBesideCache(decoder.graph);
    this.#givesStream = decoder.graph.outputs.some(({ name }) => name === LAST_STREAM);
  }

  /**
   * For many texts at once: the graph is rewritten where that makes batches faster, so that texts come sooner than from
   * the file as it is, and results differ by their rounding.
   * @param batchRows prompts that run together where nothing else is asked for
   * @param givesStream whether `onStream` is called; not where layers run in segments
   * @throws UserError if onnxruntime cannot load the model
   */
  static async openForBatches(
    decoder: Decoder,
    options?: RunOptions,
    batchRows = 32,
    givesStream = false,
  ): Promise<Generator> {
    const rewritten = withFiniteMasks(withoutRepetitions(decoder));
    const forBatches = lastPositionHead(rewritten, givesStream && !options?.segments);
    const inPieces = options?.segments
      ? undefined
      : withRecentCache(forBatches.model, cacheLinks(forBatches), RECENT_RUNS);
    return inPieces
      ? new Generator(forBatches, await openSession(inPieces.model, options), batchRows, inPieces.pieces)
      : new Generator(forBatches, await openDecoder(forBatches, options), batchRows);
  }

  /**
   * With the graph as it is, but for a head that sees the last position only.
   * @param batchRows prompts that run together where nothing else is asked for
   * @throws UserError if onnxruntime cannot load the model
   */
  static async open(decoder: Decoder, options?: RunOptions, batchRows = 32): Promise<Generator> {
    const forGeneration = lastPositionHead(decoder);
    return new Generator(forGeneration, await openDecoder(forGeneration, options), batchRows);
  }

  /** What the model can read. */
  get reads(): ReadableRows {
    return this.#decoder;
  }

  async release(): Promise<void> {
    await this.#model.release();
  }

  /**
   * @param prompts token ids
   * @returns one entry a prompt, in their order; a text that fills the model's context ends there
   * @throws CancelledError if the signal is triggered
   * @throws UserError if a prompt is longer than the model's context, or the model gives no numbers
   */
  async generate(
    prompts: readonly (readonly number[])[],
    settings: GenerationSettings,
  ): Promise<GeneratedText[]> {
    const { contextLength = Infinity } = this.#decoder;
    const longest = prompts.find(({ length }) => length > contextLength);
    if (longest) {
      throw new UserError(
        `A prompt has ${longest.length} tokens, more than the ${contextLength} that the model can read.`,
      );
    }
    const results: GeneratedText[] = prompts.map(() => ({ tokens: [], finishedBy: 'length' }));
    settings.onProgress?.(0);
    let answered = 0;
    const { maxNewTokens, batchRows = this.#batchRows } = settings;
    for (const batch of promptBatches(prompts, batchRows, maxNewTokens)) {
      await this.#generateBatch(prompts, batch, settings, results, answered);
      answered += batch.length;
    }
    return results;
  }

  /**
   * Every row is fed equally many tokens, those of its prompt and then its own, so that none is ever padded: what a
   * position without any other to attend to gives is not defined, and some models number or mask positions themselves.
   */
  async #generateBatch(
    prompts: readonly (readonly number[])[],
    batch: readonly number[],
    settings: GenerationSettings,
    results: GeneratedText[],
    answeredBefore: number,
  ): Promise<void> {
    let rows: Row[] = batch.map((prompt) => ({
      prompt,
      ids: [...prompts[prompt]!],
      random: randomSource((settings.sampling?.seed ?? 0) + prompt),
    }));
    if (settings.maxNewTokens === 0) return;
    const hasCache = this.#links.length > 0;
    const cache = new GrowingCache(this.#decoder, this.#links, this.#pieces, {
      rows: rows.length,
      positions: this.#longest(rows, settings.maxNewTokens),
    });
    let past = hasCache && batch.length > 1 ? await this.#readBeginning(rows, cache, settings, results) : 0;
    const chunk = hasCache && batch.length === 1 ? settings.promptChunk : undefined;
    const shortest = () => Math.min(...rows.map(({ ids }) => ids.length));
    let length = Math.min(this.#chunkBeyondBorder(chunk, shortest()), shortest());
    if (past > 0 && !this.#readsOn) length = past + 1;
    while (rows.length > 0) {
      await settings.giveWay?.();
      throwIfCancelled(settings.signal);
      const started = performance.now();
      if (past > 0 && isBeyondBorder(this.#decoder, length) && !isBeyondBorder(this.#decoder, past)) {
        // What the cache holds was turned by the other frequencies.
        past = 0;
        cache.restart(rows.length);
      }
      const feeds = { ...this.#feeds(rows, past, length), ...cache.feeds };
      const wanted = cache.next(rows.length, length);
      const outputs = await this.#model.run(feeds, this.#withStream(wanted.outputs), wanted.into);
      this.#tellStream(outputs, rows, past, settings);
      const answering = rows.filter(({ ids }) => ids.length === length);
      this.#record(rows.length * (length - past), answering, results, started);
      const next = this.#chooseTokens(outputs, rows, length, settings);
      cache.take(outputs);
      const going: number[] = [];
      rows.forEach((row, place) => {
        const token = next[place];
        if (token === undefined || this.#goesOn(row, token, settings, results[row.prompt]!))
          going.push(place);
      });
      if (going.length < rows.length && going.length > 0) cache.keep(going);
      rows = going.map((place) => rows[place]!);
      const made = rows.map(({ prompt }) => READING + results[prompt]!.tokens.length);
      const shares = made.reduce((sum, tokens) => sum + tokens, 0) / (READING + settings.maxNewTokens);
      settings.onProgress?.(answeredBefore + batch.length - rows.length + shares);
      past = hasCache ? length : 0;
      length = chunk === undefined ? length + 1 : Math.min(length + chunk, shortest());
    }
  }

  /**
   * Reads what all prompts begin with (a system prompt, instructions) in one row, whose cache then is that of all rows.
   * @returns how many tokens that is
   */
  async #readBeginning(
    rows: readonly Row[],
    cache: GrowingCache,
    settings: GenerationSettings,
    results: readonly GeneratedText[],
  ): Promise<number> {
    const texts = rows.map(({ ids }) => ids);
    const length = sharedBeginning(texts, this.#readsOn);
    if (length === 0) return 0;
    const started = performance.now();
    cache.restart(1);
    const wanted = cache.next(1, length);
    const feeds = { ...this.#feeds(rows.slice(0, 1), 0, length), ...cache.feeds };
    const outputs = await this.#model.run(feeds, this.#withStream(wanted.outputs), wanted.into);
    for (const row of rows) this.#tellStream(outputs, [row], 0, settings);
    cache.take(outputs);
    cache.keep(rows.map(() => 0));
    this.#record(length, [], results, started);
    return length;
  }

  #withStream(outputs: readonly string[]): readonly string[] {
    return this.#givesStream ? [...outputs, LAST_STREAM] : outputs;
  }

  /** @param position of the first token that was fed */
  #tellStream(
    outputs: Record<string, RuntimeTensor>,
    rows: readonly Row[],
    position: number,
    { onStream }: GenerationSettings,
  ): void {
    if (!onStream || !this.#givesStream) return;
    const stream = float32Values(outputs[LAST_STREAM]!);
    const size = stream.length / rows.length;
    for (const [place, { prompt }] of rows.entries())
      onStream(prompt, position, stream.subarray(place * size, (place + 1) * size));
  }

  /** Positions of the longest text that may come of the rows. */
  #longest(rows: readonly Row[], maxNewTokens: number): number {
    const { contextLength = Infinity } = this.#decoder;
    return Math.min(contextLength, Math.max(...rows.map(({ ids }) => ids.length)) + maxNewTokens);
  }

  /** Tokens that are read first: what is read before a border that the prompt passes would be read twice. */
  #chunkBeyondBorder(chunk: number | undefined, tokens: number): number {
    const { rotaryBorder } = this.#decoder;
    if (chunk === undefined || rotaryBorder === undefined || !isBeyondBorder(this.#decoder, tokens))
      return chunk ?? Infinity;
    return Math.max(chunk, rotaryBorder + 1);
  }

  /** With a KV cache only the new tokens are fed; without one everything so far. */
  #feeds(rows: readonly Row[], past: number, length: number): Feeds {
    const ids = rows.flatMap((row) => row.ids.slice(past, length));
    return tokenFeeds(
      this.#decoder,
      { rows: rows.length, positions: length - past, ids, keptLogits: 1 },
      past,
    );
  }

  /** Adds a token to a row. @returns whether the row goes on after it */
  #goesOn(row: Row, token: number, settings: GenerationSettings, result: GeneratedText): boolean {
    result.tokens.push(token);
    row.ids.push(token);
    if (settings.stopTokens.has(token)) {
      result.finishedBy = 'stop';
      return false;
    }
    settings.onToken?.(row.prompt, token);
    const { contextLength = Infinity } = this.#decoder;
    return result.tokens.length < settings.maxNewTokens && row.ids.length < contextLength;
  }

  /** The next token of each row whose prompt has been read. @throws UserError if the model gives no numbers */
  #chooseTokens(
    outputs: Record<string, RuntimeTensor>,
    rows: readonly Row[],
    length: number,
    { sampling }: GenerationSettings,
  ): (number | undefined)[] {
    const logits = logitsValues(outputs[this.#decoder.logits]!);
    const width = logits.length / rows.length;
    return rows.map(({ ids, random }, place) => {
      if (ids.length > length) return undefined;
      const own = logits.subarray(place * width, (place + 1) * width);
      if (holdsNaN(own)) throw new UserError(NOT_NUMBERS);
      return sampling ? sampleToken(own, sampling, random()) : greedyToken(own);
    });
  }

  /** The time of a run that only reads prompts, or reads and begins an answer, is that of prompts. */
  #record(fed: number, answering: readonly Row[], results: readonly GeneratedText[], started: number): void {
    const seconds = (performance.now() - started) / 1000;
    if (answering.some(({ prompt }) => results[prompt]!.tokens.length > 0)) {
      this.timing.newTokens += answering.length;
      this.timing.newSeconds += seconds;
    } else {
      this.timing.promptTokens += fed;
      this.timing.promptSeconds += seconds;
    }
  }
}
