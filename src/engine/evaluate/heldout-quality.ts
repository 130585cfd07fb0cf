/** Quality on held-out rows with the right answer so far given (teacher forcing): loss, accuracy, divergence. */
import type { HeldoutQuality } from '../../schema/report.js';
import { requireOwnNumbers } from '../loss/finite-losses.js';
import type { LossBatch } from '../loss/loss-batch.js';
import type { ForwardModel, TokenResults } from '../loss/forward-model.js';
import type { Scales } from '../decoder/scales.js';
import { throwIfCancelled } from '../../schema/errors.js';
import { clampShare, shareEstimate, tokenMeanEstimate } from './intervals.js';
import { AgreementCounter } from './agreement.js';

export interface ScaledModel {
  model: ForwardModel;
  scales: Scales;
}

export interface QualityOptions {
  /** Given to measure the divergence from it. */
  original?: ScaledModel;
  /** The rows as batches for the original, where its graph has other inputs; default: those that are measured. */
  originalBatches?: readonly LossBatch[];
  signal?: AbortSignal;
  /** Called after each forward pass of a batch, the original's among them. */
  onPass?: () => void;
}

/**
 * @throws CancelledError if the signal is triggered
 * @throws UserError if the original (no other one is given) computes no numbers
 */
export async function heldoutQuality(
  { model, scales }: ScaledModel,
  batches: readonly LossBatch[],
  options: QualityOptions = {},
): Promise<HeldoutQuality> {
  return (await heldoutQualities(model, [scales], batches, options))[0]!;
}

/**
 * The same of one model with several sets of scales: the original runs once for all of them.
 * @returns in the order of the scales
 */
export async function heldoutQualities(
  model: ForwardModel,
  scales: readonly Scales[],
  batches: readonly LossBatch[],
  options: QualityOptions = {},
): Promise<HeldoutQuality[]> {
  const counters = scales.map(() => new QualityCounter());
  for (const group of batchGroups(model, batches)) {
    throwIfCancelled(options.signal);
    const expected = options.original && (await originalLogits(options.original, group, options));
    for (const [index, counter] of counters.entries()) {
      const runs = group.map(({ batch }) => ({ batch, scales: scales[index]! }));
      let place = 0;
      for await (const result of expected ? model.runEachWithLogits(runs) : model.runEach(runs)) {
        throwIfCancelled(options.signal);
        if (!options.original) requireOwnNumbers(result.tokenLosses);
        counter.add(group[place]!.batch, result, expected?.[place]);
        place += 1;
        options.onPass?.();
      }
    }
  }
  return counters.map((counter) => counter.result());
}

type ResultsWithLogits = TokenResults & { logits: Float32Array };

/** Sums by row, so that intervals respect that the tokens of a row go together. */
class QualityCounter {
  readonly #losses: number[] = [];
  readonly #hits: number[] = [];
  readonly #divergences: number[] = [];
  readonly #counts: number[] = [];
  #agreement: AgreementCounter | undefined;

  /** @param expected the original's, where there is one to compare with */
  add(batch: LossBatch, result: TokenResults | ResultsWithLogits, expected?: ResultsWithLogits): void {
    const perToken =
      expected && 'logits' in result ? tokenDivergences(expected.logits, result.logits, batch) : undefined;
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

interface PlacedBatch {
  batch: LossBatch;
  /** Among all batches. */
  index: number;
}

/**
 * Batches that go through the original together and then through the measured model, since segments of weights may have
 * to be loaded for each.
 */
function batchGroups(model: ForwardModel, batches: readonly LossBatch[]): PlacedBatch[][] {
  const groups: PlacedBatch[][] = [];
  let bytes = 0;
  for (const [index, batch] of batches.entries()) {
    const own = model.logitsBytes(batch);
    if (groups.length === 0 || bytes + own > KEPT_LOGITS) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)!.push({ batch, index });
    bytes += own;
  }
  return groups;
}

async function originalLogits(
  original: ScaledModel,
  group: readonly PlacedBatch[],
  options: QualityOptions,
): Promise<ResultsWithLogits[]> {
  const runs = group.map(({ batch, index }) => ({
    batch: options.originalBatches?.[index] ?? batch,
    scales: original.scales,
  }));
  const results: ResultsWithLogits[] = [];
  for await (const result of original.model.runEachWithLogits(runs)) {
    throwIfCancelled(options.signal);
    results.push(result);
    options.onPass?.();
  }
  return results;
}

/** KL(original || measured) at each response token, in nats. */
function tokenDivergences(expected: Float32Array, actual: Float32Array, batch: LossBatch): Float64Array {
  const width = expected.length / batch.labels.length;
  return Float64Array.from(batch.labels, (_, token) => {
    const range = [token * width, (token + 1) * width] as const;
    return klDivergence(expected.subarray(...range), actual.subarray(...range));
  });
}

/** KL divergence of the softmax of the second logits from that of the first, in nats. */
export function klDivergence(expected: Float32Array, actual: Float32Array): number {
  const expectedNormaliser = logSumExp(expected);
  const actualNormaliser = logSumExp(actual);
  let sum = 0;
  for (let token = 0; token < expected.length; token += 1) {
    const logProbability = expected[token]! - expectedNormaliser;
    sum += Math.exp(logProbability) * (logProbability - (actual[token]! - actualNormaliser));
  }
  return Math.max(0, sum);
}

/** The logarithm of the sum of exponentials: a softmax's normaliser. */
export function logSumExp(logits: Float32Array): number {
  let largest = -Infinity;
  for (const logit of logits) if (logit > largest) largest = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return largest + Math.log(sum);
}
