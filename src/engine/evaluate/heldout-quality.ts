/** Quality on held-out rows with the right answer so far given (teacher forcing): loss, accuracy, divergence. */
import type { LossBatch } from '../calibrate/loss-batch.js';
import type { ForwardModel } from '../calibrate/forward-model.js';
import type { Scales } from '../calibrate/scales.js';
import { throwIfCancelled } from '../errors.js';
import { shareEstimate, tokenMeanEstimate, type Estimate } from './intervals.js';

export interface HeldoutQuality {
  rows: number;
  tokens: number;
  /** Mean negative log-likelihood of a response token, in nats. */
  loss: Estimate;
  perplexity: Estimate;
  /** Share of response tokens that are the most likely next token. */
  tokenAccuracy: Estimate;
  /** Share of rows in which every response token is: those that greedy generation answers in the very same words. */
  answerAccuracy: Estimate;
  /** Mean KL divergence from the original's next-token distribution, in nats a token; undefined for the original. */
  divergence: Estimate | undefined;
}

export interface MeasuredModel {
  model: ForwardModel;
  scales: Scales;
}

export interface QualityOptions {
  /** Given to measure the divergence from it. */
  original?: MeasuredModel;
  /** The same rows for the original, where it has other graph inputs. */
  originalBatches?: readonly LossBatch[];
  signal?: AbortSignal;
}

/** @throws CancelledError if the signal is triggered */
export async function heldoutQuality(
  measured: MeasuredModel,
  batches: readonly LossBatch[],
  options: QualityOptions = {},
): Promise<HeldoutQuality> {
  const losses: number[] = [];
  const hits: number[] = [];
  const divergences: number[] = [];
  const counts: number[] = [];
  for (const [index, batch] of batches.entries()) {
    throwIfCancelled(options.signal);
    const results = await measured.model.run(batch, measured.scales);
    const originalBatch = options.originalBatches?.[index] ?? batch;
    const perToken =
      options.original && (await tokenDivergences(options.original, originalBatch, measured, batch));
    const offset = counts.length;
    for (const target of [losses, hits, divergences, counts]) {
      target.push(...Array.from({ length: batch.rows }, () => 0));
    }
    batch.rowOfToken.forEach((row, token) => {
      const place = offset + row;
      losses[place]! += results.tokenLosses[token]!;
      hits[place]! += Number(results.predictions[token] === batch.labels[token]);
      divergences[place]! += perToken?.[token] ?? 0;
      counts[place]! += 1;
    });
  }
  const answered = hits.filter((hit, row) => hit === counts[row]).length;
  const loss = tokenMeanEstimate(losses, counts);
  return {
    rows: counts.length,
    tokens: counts.reduce((sum, count) => sum + count, 0),
    loss,
    perplexity: { value: Math.exp(loss.value), low: Math.exp(loss.low), high: Math.exp(loss.high) },
    tokenAccuracy: clampShare(tokenMeanEstimate(hits, counts)),
    answerAccuracy: shareEstimate(answered, counts.length),
    divergence: options.original ? tokenMeanEstimate(divergences, counts) : undefined,
  };
}

function clampShare({ value, low, high }: Estimate): Estimate {
  return { value, low: Math.max(0, low), high: Math.min(1, high) };
}

/** KL(original || measured) at each response token, in nats. */
async function tokenDivergences(
  original: MeasuredModel,
  originalBatch: LossBatch,
  measured: MeasuredModel,
  batch: LossBatch,
): Promise<Float64Array> {
  const expected = await original.model.logits(originalBatch, original.scales);
  const actual = await measured.model.logits(batch, measured.scales);
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

function logSumExp(logits: Float32Array): number {
  let largest = -Infinity;
  for (const logit of logits) if (logit > largest) largest = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return largest + Math.log(sum);
}
