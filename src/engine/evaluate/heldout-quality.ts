/** Quality on held-out rows with the right answer so far given (teacher forcing): loss, accuracy, divergence. */
import type { HeldoutQuality } from '../../schema/report.js';
import { requireOwnNumbers } from '../loss/finite-losses.js';
import type { LossBatch } from '../loss/loss-batch.js';
import type {
  ForwardModel,
  ForwardRun,
  HeadTargets,
  ResultsWithHidden,
  ResultsWithLogits,
  ResultsWithTargets,
  TokenResults,
} from '../loss/forward-model.js';
import type { KeptStream } from '../loss/kept-stream.js';
import type { TokenTargets } from '../loss/divergence.js';
import type { Scales } from '../decoder/scales.js';
import { throwIfCancelled } from '../../schema/errors.js';
import { clampShare, shareEstimate, tokenMeanEstimate } from './intervals.js';
import { AgreementCounter } from './agreement.js';
import { tokenDivergences } from './token-divergences.js';

/** What a model is run with. */
export interface HeldoutScales {
  scales: Scales;
  /** What the model's last layer gave with them, where that is known. */
  kept?: KeptStream | undefined;
}

export interface ScaledModel extends HeldoutScales {
  model: ForwardModel;
}

export interface QualityOptions {
  /** Given to measure the divergence from it. */
  original?: ScaledModel;
  /** The rows as batches for the original, where its graph has other inputs; default: those that are measured. */
  originalBatches?: readonly LossBatch[];
  signal?: AbortSignal;
  /** Told the most likely tokens of each batch, where there is no original. */
  onTargets?: (batch: LossBatch, targets: TokenTargets) => void;
  /** Takes in what the last layer gives, where there is no original. */
  keep?: KeptStream | undefined;
  /** Called after each forward pass, the original's among them, with the rows that it was of. */
  onPass?: (rows: number) => void;
}

/**
 * @throws CancelledError if the signal is triggered
 * @throws UserError if the original (no other one is given) computes no numbers
 */
export async function heldoutQuality(
  measured: ScaledModel,
  batches: readonly LossBatch[],
  options: QualityOptions = {},
): Promise<HeldoutQuality> {
  return (await heldoutQualities(measured.model, [measured], batches, options))[0]!;
}

/**
 * The same of one model with several sets of scales: the original runs once for all of them.
 * @returns in the order of the scales
 */
export async function heldoutQualities(
  model: ForwardModel,
  scales: readonly HeldoutScales[],
  batches: readonly LossBatch[],
  options: QualityOptions = {},
): Promise<HeldoutQuality[]> {
  const counters = scales.map(() => new QualityCounter());
  const parts = options.original
    ? partsOf(model, options.original.model, batches, options)
    : wholeOf(batches);
  for (const group of partGroups(model, parts)) {
    throwIfCancelled(options.signal);
    const expected = options.original && (await originalLogits(options.original, group, options));
    for (const [index, counter] of counters.entries()) {
      const { kept, scales: own } = scales[index]!;
      const runs = group.map(({ batch }) => ({ batch, scales: own }));
      let place = 0;
      for await (const result of resultsOf(model, runs, kept, options)) {
        throwIfCancelled(options.signal);
        if (!options.original) requireOwnNumbers(result.tokenLosses);
        if ('targets' in result) options.onTargets?.(group[place]!.batch, result.targets);
        if ('hidden' in result) options.keep?.keep(group[place]!.batch, result.hidden);
        counter.add(group[place]!.batch, result, expected?.[place]);
        options.onPass?.(group[place]!.batch.rows);
        place += 1;
      }
    }
  }
  return counters.map((counter) => counter.result());
}

/** With the logits where there is an original to compare with, with the most likely tokens where these are asked for. */
function resultsOf(
  model: ForwardModel,
  runs: readonly ForwardRun[],
  kept: KeptStream | undefined,
  { original, onTargets, keep }: QualityOptions,
): AsyncIterable<TokenResults | ResultsWithLogits | ResultsWithHidden | HeadTargets> {
  if (original) return resultsWithLogits(model, runs, kept);
  if (onTargets) return resultsWithTargets(model, runs, kept);
  return keep ? model.runEachWithHidden(runs) : model.runEach(runs);
}

async function* resultsWithLogits(
  model: ForwardModel,
  runs: readonly ForwardRun[],
  kept: KeptStream | undefined,
): AsyncGenerator<ResultsWithLogits> {
  const streams = knownStreams(model, runs, kept);
  if (!streams) yield* model.runEachWithLogits(runs);
  else for (const [place, run] of runs.entries()) yield await model.runHead(run, streams[place]!);
}

async function* resultsWithTargets(
  model: ForwardModel,
  runs: readonly ForwardRun[],
  kept: KeptStream | undefined,
): AsyncGenerator<HeadTargets | ResultsWithTargets> {
  const streams = knownStreams(model, runs, kept);
  if (!streams) yield* model.runEachWithTargets(runs);
  else for (const [place, run] of runs.entries()) yield await model.runHeadWithTargets(run, streams[place]!);
}

/** What goes into the head for each run, if all of it is known: then the head alone is run. */
function knownStreams(
  model: ForwardModel,
  runs: readonly ForwardRun[],
  kept: KeptStream | undefined,
): Float32Array[] | undefined {
  const streams = model.hasHead ? runs.map(({ batch }) => kept?.of(batch)) : [undefined];
  return streams.every((stream) => stream !== undefined) ? streams : undefined;
}

/** Sums by row, so that intervals respect that the tokens of a row go together. */
class QualityCounter {
  readonly #losses: number[] = [];
  readonly #hits: number[] = [];
  readonly #divergences: number[] = [];
  readonly #counts: number[] = [];
  #agreement: AgreementCounter | undefined;

  /** @param expected the original's, where there is one to compare with */
  add(batch: LossBatch, result: TokenResults | ResultsWithLogits, expected?: ResultsWithLogits): void {
    const perToken = expected && 'logits' in result ? tokenDivergences(expected, result, batch) : undefined;
    if (perToken) (this.#agreement ??= new AgreementCounter()).add(batch, expected!, result, perToken);
    const offset = this.#counts.length;
    for (const target of [this.#losses, this.#hits, this.#divergences, this.#counts]) {
      target.push(...Array.from({ length: batch.rows }, () => 0));
    }
    batch.rowOfToken.forEach((row, token) => {
      this.#losses[offset + row]! += result.tokenLosses[token]!;
      this.#hits[offset + row]! += Number(result.predictions[token] === batch.labels[token]);
      this.#divergences[offset + row]! += perToken?.[token] ?? 0;
      this.#counts[offset + row]! += 1;
    });
  }

  result(): HeldoutQuality {
    const [losses, hits, divergences, counts] = [this.#losses, this.#hits, this.#divergences, this.#counts];
    const answered = hits.filter((hit, row) => hit === counts[row]).length;
    const loss = tokenMeanEstimate(losses, counts);
    return {
      rows: counts.length,
      tokens: counts.reduce((sum, count) => sum + count, 0),
      loss,
      perplexity: { value: Math.exp(loss.value), low: Math.exp(loss.low), high: Math.exp(loss.high) },
      tokenAccuracy: clampShare(tokenMeanEstimate(hits, counts)),
      answerAccuracy: shareEstimate(answered, counts.length),
      divergence: this.#agreement && tokenMeanEstimate(divergences, counts),
      agreement: this.#agreement?.result(),
    };
  }
}

/** Bytes of logits of the original that wait for the measured model's. */
const KEPT_LOGITS = 32e6;
/** Bytes of logits at a time; one row alone may have more. */
const LOGITS_AT_ONCE = 6.4e7;

/** A batch, or some rows of it. */
interface Part {
  batch: LossBatch;
  /** The same rows for the original. */
  original: LossBatch;
}

function wholeOf(batches: readonly LossBatch[]): Part[] {
  return batches.map((batch) => ({ batch, original: batch }));
}

/** Batches cut into as many parts as keep their logits within bounds. */
function partsOf(
  model: ForwardModel,
  original: ForwardModel,
  batches: readonly LossBatch[],
  { originalBatches }: QualityOptions,
): Part[] {
  return batches.flatMap((batch, index) => {
    const forOriginal = originalBatches?.[index] ?? batch;
    const ranges = rowRanges(
      batch,
      Math.floor((LOGITS_AT_ONCE / model.logitsBytes(batch)) * batch.labels.length),
    );
    if (ranges.length < 2) return [{ batch, original: forOriginal }];
    return ranges.map((range) => ({
      batch: model.rowsOf(batch, range),
      original: original.rowsOf(forOriginal, range),
    }));
  });
}

/** Rows one after the other, with no more response tokens together than that where one alone has not more, and some. */
function rowRanges({ rows, rowOfToken }: LossBatch, mostTokens: number): [number, number][] {
  const tokens = Array.from({ length: rows }, () => 0);
  for (const row of rowOfToken) tokens[row]! += 1;
  const ranges: [number, number][] = [];
  let [start, sum] = [0, 0];
  for (const [row, own] of tokens.entries()) {
    if (sum > 0 && sum + own > mostTokens) {
      ranges.push([start, row]);
      [start, sum] = [row, 0];
    }
    sum += own;
  }
  // Rows without response tokens can be no batch of their own.
  if (sum > 0 || ranges.length === 0) ranges.push([start, rows]);
  else ranges.at(-1)![1] = rows;
  return ranges;
}

/**
 * Parts that go through the original together and then through the measured model, since segments of weights may have
 * to be loaded for each.
 */
function partGroups(model: ForwardModel, parts: readonly Part[]): Part[][] {
  const groups: Part[][] = [];
  let bytes = 0;
  for (const part of parts) {
    const own = model.logitsBytes(part.batch);
    if (groups.length === 0 || bytes + own > KEPT_LOGITS) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)!.push(part);
    bytes += own;
  }
  return groups;
}

async function originalLogits(
  original: ScaledModel,
  group: readonly Part[],
  options: QualityOptions,
): Promise<ResultsWithLogits[]> {
  const runs = group.map((part) => ({ batch: part.original, scales: original.scales }));
  const results: ResultsWithLogits[] = [];
  for await (const result of resultsWithLogits(original.model, runs, original.kept)) {
    throwIfCancelled(options.signal);
    options.onPass?.(runs[results.length]!.batch.rows);
    results.push(result);
  }
  return results;
}
