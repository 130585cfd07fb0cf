/** The last check of an export: the written file must give the logits of the gated model that was trained. */
import type { Verification } from '../../schema/results.js';
import type { LossBatch } from '../loss/loss-batch.js';
import { openForwardModel, type ForwardModel } from '../loss/forward-model.js';
import { LOSS_INPUTS } from '../loss/loss-values.js';
import type { Scales } from '../decoder/scales.js';
import type { Decoder } from '../decoder/decoder.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { readModelInPlace } from '../onnx/file/weights-in-place.js';
import { emptyCache } from '../runtime/decoder-feeds.js';
import { openSession, type RunOptions } from '../runtime/session.js';
import { logitsValues } from '../runtime/tensors.js';
import { arithmeticOf, LAST_DIGITS, type Arithmetic } from './arithmetic.js';
import { LogitsComparer, type LogitsComparison } from './compare-logits.js';
import { nudgedScales } from './nudged-scales.js';

/**
 * Largest difference of a logit, in parts of the logits' spread, that the rounding of products may make by itself in a
 * deep model; a scale that is not where it should be makes a hundred times as much.
 */
export const LOGITS_TOLERANCE: Readonly<Record<Arithmetic, number>> = {
  float32: 1e-3,
  float16: 3e-2,
  bfloat16: 2e-1,
};

/**
 * How much farther from the trained model the exported one may be than the trained one is from itself, when its scales
 * are changed in their last digits. Where activations are rounded to 8 bits while the model runs, a last digit decides
 * over a whole step of the rounding, and a few layers on all are different: two exact exports of SmolLM2 in 4 bits
 * differ by 5 in a logit, and by 0.01 nats in the distributions, as much as the model differs from itself.
 */
const NOISE_FACTOR = 4;

/** Runs with changed last digits that the noise is measured by. */
const NOISE_RUNS = 2;

export interface ExportCheck extends Verification {
  /** Mean KL divergence of the exported model from the trained one, in nats a token. */
  divergence: number;
  /** Loss of the exported model less that of the trained one, in nats a token. */
  lossChange: number;
  /** How far the exported model may be where the tolerance is the trained one's noise: mean KL divergence, in nats a token. */
  noise?: number;
  /** Whether the exported model is the trained one, within the tolerance. */
  isSame: boolean;
}

/**
 * @param file the exported ONNX file, loaded afresh
 * @param batches held-out rows
 */
export async function verifyExport(
  file: string,
  trained: ForwardModel,
  scales: Scales,
  batches: readonly LossBatch[],
  runOptions: RunOptions | undefined,
): Promise<ExportCheck> {
  // Its weights are onnxruntime's alone to read.
  const decoder = readDecoder(readModelInPlace(file));
  const exported =
    runOptions?.segments || decoder.cut
      ? await openForward(decoder, runOptions)
      : await openWhole(decoder, runOptions);
  const compared = new LogitsComparer();
  try {
    for (const batch of batches) {
      const expected = await trained.logits(batch, scales);
      compared.add(expected, await exported.logits(batch), batch.labels);
    }
  } finally {
    await exported.release();
  }
  const found = compared.result;
  const arithmetic = arithmeticOf(decoder);
  const tolerance = LOGITS_TOLERANCE[arithmetic] * found.spread;
  const { largestDifference, largestLogit, positions, divergence, lossChange } = found;
  const figures = { largestDifference, largestLogit, positions, divergence, lossChange };
  if (largestDifference <= tolerance) return { ...figures, tolerance, isSame: true };
  const noise = await noiseOf(trained, scales, batches, LAST_DIGITS[arithmetic]);
  return {
    ...figures,
    tolerance: Math.max(tolerance, NOISE_FACTOR * noise.largestDifference),
    noise: NOISE_FACTOR * noise.divergence,
    isSame: isWithinNoise(found, noise),
  };
}

/** How far the trained model is from itself with scales whose last digits are changed. */
async function noiseOf(
  trained: ForwardModel,
  scales: Scales,
  batches: readonly LossBatch[],
  rounding: number,
): Promise<LogitsComparison> {
  const compared = new LogitsComparer();
  for (const batch of batches) {
    const expected = await trained.logits(batch, scales);
    for (let run = 0; run < NOISE_RUNS; run += 1) {
      const changed = nudgedScales(scales, trained.scaleSizes, rounding, run);
      compared.add(expected, await trained.logits(batch, changed), batch.labels);
    }
  }
  return compared.result;
}

function isWithinNoise(found: LogitsComparison, noise: LogitsComparison): boolean {
  return (
    found.largestDifference <= NOISE_FACTOR * noise.largestDifference &&
    found.divergence <= NOISE_FACTOR * noise.divergence &&
    found.lossChange <= NOISE_FACTOR * noise.lossError * Math.sqrt(NOISE_RUNS)
  );
}

/** The exported file in onnxruntime. */
interface ExportedModel {
  /** float32 [response tokens, vocabulary]: the logits that predict each response token. */
  logits(batch: LossBatch): Promise<Float32Array>;
  release(): Promise<void>;
}

/** Opens the exported file as those who use it do, whole and without a loss; its weights are mapped where they lie in it. */
async function openWhole(decoder: Decoder, options: RunOptions | undefined): Promise<ExportedModel> {
  const session = await openSession(decoder.model, options);
  const wanted = new Set(session.inputs.map((input) => input.name));
  const width = decoder.vocabularySize;
  return {
    logits: async (batch) => {
      const { [LOSS_INPUTS.positions]: lossPositions, ...feeds } = batch.feeds;
      const ownFeeds = Object.entries({ ...feeds, ...emptyCache(decoder, batch.rows) }).filter(([name]) =>
        wanted.has(name),
      );
      const results = await session.run(Object.fromEntries(ownFeeds), [decoder.logits]);
      const all = logitsValues(results[decoder.logits]!);
      const chosen = new Float32Array(batch.labels.length * width);
      for (const [index, position] of (lossPositions!.data as BigInt64Array).entries()) {
        const start = Number(position) * width;
        chosen.set(all.subarray(start, start + width), index * width);
      }
      return chosen;
    },
    release: () => session.release(),
  };
}

/**
 * Where memory is limited: the file's layers in turn, and only the logits that are compared. Also where the file gives
 * logits of the last position only.
 */
async function openForward(decoder: Decoder, runOptions: RunOptions = {}): Promise<ExportedModel> {
  const model = await openForwardModel(decoder, {
    skipped: [],
    granularity: 'scalar',
    runOptions,
  });
  return {
    logits: (batch) =>
      model.logits({ ...batch, feeds: { ...batch.feeds, ...emptyCache(decoder, batch.rows) } }, new Map()),
    release: () => model.release(),
  };
}
