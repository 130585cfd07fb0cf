/** Text generation with the KV cache: batches of prompts, greedy or sampled, token by token. */
import type { Decoder } from '../decoder/decoder.js';
import { countsPositions } from '../decoder/read/fused-attention.js';
import { throwIfCancelled } from '../../schema/errors.js';
import { emptyCache, tokenFeeds, type TokenBlock } from '../runtime/decoder-feeds.js';
import { openDecoder } from '../runtime/segmented-model.js';
import type { RunnableModel, SessionOptions } from '../runtime/session.js';
import { logitsValues, type RuntimeTensor } from '../runtime/tensors.js';
import { cacheLinks, nextCache, selectRows, type CacheLink } from './cache-rows.js';
import { lastPositionHead } from './last-position-head.js';
import { greedyToken, randomSource, sampleToken, type SamplingSettings } from './sampling.js';

export interface GenerationSettings {
  maxNewTokens: number;
  stopTokens: ReadonlySet<number>;
  /** Default: greedy. */
  sampling?: SamplingSettings;
  /** Prompts that run together; default: what the generator was opened with. */
  batchRows?: number;
  signal?: AbortSignal;
  /** Waited for before each step: lets more urgent work go first. */
  giveWay?: () => Promise<void>;
  /** Called for each token as it comes, the stop token excepted. */
  onToken?: (prompt: number, token: number) => void;
  /** Called when a prompt is finished. */
  onFinished?: (prompt: number, done: number) => void;
}

export interface GeneratedText {
  /** The new tokens, the stop token included if it came. */
  tokens: number[];
  finishedBy: 'stop' | 'length';
}

export interface GenerationTiming {
  promptTokens: number;
  promptSeconds: number;
  newTokens: number;
  newSeconds: number;
}

export class Generator {
  readonly #decoder: Decoder;
  readonly #model: RunnableModel;
  readonly #batchRows: number;
  readonly #links: readonly CacheLink[];
  /** Sums over all calls so far. */
  readonly timing: GenerationTiming = { promptTokens: 0, promptSeconds: 0, newTokens: 0, newSeconds: 0 };

  private constructor(decoder: Decoder, model: RunnableModel, batchRows: number) {
    this.#decoder = decoder;
    this.#model = model;
    this.#batchRows = batchRows;
    this.#links = cacheLinks(decoder);
  }

  /**
   * @param batchRows prompts that run together where nothing else is asked for
   * @throws UserError if onnxruntime cannot load the model
   */
  static async open(decoder: Decoder, options?: SessionOptions, batchRows = 32): Promise<Generator> {
    const forGeneration = lastPositionHead(decoder);
    return new Generator(forGeneration, await openDecoder(forGeneration, options), batchRows);
  }

  async release(): Promise<void> {
    await this.#model.release();
  }

  /**
   * @param prompts token ids
   * @returns one entry a prompt, in their order
   * @throws CancelledError if the signal is triggered
   */
  async generate(
    prompts: readonly (readonly number[])[],
    settings: GenerationSettings,
  ): Promise<GeneratedText[]> {
    const results: GeneratedText[] = prompts.map(() => ({ tokens: [], finishedBy: 'length' }));
    let done = 0;
    for (const batch of this.#batches(prompts, settings.batchRows ?? this.#batchRows)) {
      await this.#generateBatch(prompts, batch, settings, results);
      for (const prompt of batch) settings.onFinished?.(prompt, (done += 1));
    }
    return results;
  }

  /**
   * Prompts of similar length run together, padded on the left. A graph without mask or position inputs cannot tell
   * padding from text, nor can one whose attention counts positions itself: there only prompts of equal length do.
   */
  #batches(prompts: readonly (readonly number[])[], batchRows: number): number[][] {
    const { attentionMask, positions } = this.#decoder.inputs;
    const mayPad =
      attentionMask !== undefined && positions !== undefined && !countsPositions(this.#decoder.graph);
    const order = [...prompts.keys()].toSorted((a, b) => prompts[a]!.length - prompts[b]!.length);
    const batches: number[][] = [];
    for (const prompt of order) {
      const current = batches.at(-1);
      const fits =
        current !== undefined &&
        current.length < batchRows &&
        (mayPad || prompts[current[0]!]!.length === prompts[prompt]!.length);
      if (fits) current.push(prompt);
      else batches.push([prompt]);
    }
    return batches;
  }

  async #generateBatch(
    prompts: readonly (readonly number[])[],
    batch: readonly number[],
    settings: GenerationSettings,
    results: GeneratedText[],
  ): Promise<void> {
    const random = batch.map((prompt) => randomSource((settings.sampling?.seed ?? 0) + prompt));
    const width = Math.max(...batch.map((prompt) => prompts[prompt]!.length));
    const padding = batch.map((prompt) => width - prompts[prompt]!.length);
    let rows = batch.map((_, index) => index);
    let cache = emptyCache(this.#decoder, batch.length);
    let block = leftPadded(
      batch.map((prompt) => prompts[prompt]!),
      width,
    );
    let length = width;
    for (let step = 0; step < settings.maxNewTokens && rows.length > 0; step += 1) {
      await settings.giveWay?.();
      throwIfCancelled(settings.signal);
      const started = performance.now();
      const past = length - block.positions;
      const outputs = await this.#model.run({
        ...tokenFeeds(this.#decoder, block, this.#links.length > 0 ? past : 0),
        ...cache,
      });
      this.#record(step, block, (performance.now() - started) / 1000);
      const next = this.#chooseTokens(outputs, rows, settings, random);
      cache = nextCache(this.#links, outputs);
      const going: number[] = [];
      rows.forEach((row, place) => {
        const token = next[place]!;
        const result = results[batch[row]!]!;
        result.tokens.push(token);
        if (settings.stopTokens.has(token)) result.finishedBy = 'stop';
        else {
          settings.onToken?.(batch[row]!, token);
          going.push(place);
        }
      });
      if (going.length === 0) break;
      if (going.length < rows.length) cache = selectRows(this.#links, cache, going);
      rows = going.map((place) => rows[place]!);
      length += 1;
      block = this.#nextBlock(
        rows,
        rows.map((row) => prompts[batch[row]!]!),
        results,
        batch,
        padding,
        length,
      );
    }
  }

  /** With a KV cache only the new token is fed; without one everything so far. */
  #nextBlock(
    rows: readonly number[],
    promptIds: readonly (readonly number[])[],
    results: readonly GeneratedText[],
    batch: readonly number[],
    padding: readonly number[],
    length: number,
  ): TokenBlock {
    if (this.#links.length === 0) {
      const all = rows.map((row, index) => [...promptIds[index]!, ...results[batch[row]!]!.tokens]);
      return leftPadded(all, length);
    }
    return {
      rows: rows.length,
      positions: 1,
      ids: rows.map((row) => results[batch[row]!]!.tokens.at(-1)!),
      mask: rows.flatMap((row) => Array.from({ length }, (_, at) => Number(at >= padding[row]!))),
      positionIds: rows.map((row) => length - 1 - padding[row]!),
    };
  }

  #chooseTokens(
    outputs: Record<string, RuntimeTensor>,
    rows: readonly number[],
    settings: GenerationSettings,
    random: readonly (() => number)[],
  ): number[] {
    const logits = logitsValues(outputs[this.#decoder.logits]!);
    const width = logits.length / rows.length;
    return rows.map((row, place) => {
      const own = logits.subarray(place * width, (place + 1) * width);
      return settings.sampling ? sampleToken(own, settings.sampling, random[row]!()) : greedyToken(own);
    });
  }

  #record(step: number, block: TokenBlock, seconds: number): void {
    if (step === 0) {
      this.timing.promptTokens += block.rows * block.positions;
      this.timing.promptSeconds += seconds;
    } else {
      this.timing.newTokens += block.rows;
      this.timing.newSeconds += seconds;
    }
  }
}

function leftPadded(rows: readonly (readonly number[])[], width: number): TokenBlock {
  const padding = rows.map((row) => width - row.length);
  return {
    rows: rows.length,
    positions: width,
    ids: rows.flatMap((row, index) => [
      ...Array.from({ length: padding[index]! }, () => row[0] ?? 0),
      ...row,
    ]),
    mask: rows.flatMap((_, index) =>
      Array.from({ length: width }, (__, at) => Number(at >= padding[index]!)),
    ),
    positionIds: rows.flatMap((_, index) =>
      Array.from({ length: width }, (__, at) => Math.max(0, at - padding[index]!)),
    ),
  };
}
