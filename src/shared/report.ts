/** What a run has measured; the engine's report.json as the app reads it. */
import * as v from 'valibot';
import { problemCount } from './task.js';
import { blockName, count, estimate, filePath } from './values.js';

export const heldoutQuality = v.object({
  rows: count,
  tokens: count,
  /** Mean negative log-likelihood of a response token, in nats. */
  loss: estimate,
  perplexity: estimate,
  /** Share of response tokens that are the most likely next token. */
  tokenAccuracy: estimate,
  /** Share of rows in which every response token is. */
  answerAccuracy: estimate,
  /** Mean KL divergence from the original, in nats a token; absent for the original. */
  divergence: v.optional(estimate),
});
export type HeldoutQuality = v.InferOutput<typeof heldoutQuality>;

export const trainingEpoch = v.object({
  epoch: count,
  /** Null for epoch 0, before any training. */
  trainingLoss: v.nullable(v.number()),
  heldoutLoss: v.number(),
});
export type TrainingEpoch = v.InferOutput<typeof trainingEpoch>;

/** One point of the curve of quality against skipped blocks. */
export const curvePoint = v.object({
  /** In the order in which they were chosen. */
  skipped: v.array(blockName),
  withoutScales: heldoutQuality,
  /** Absent where this point's scales were not trained. */
  withScales: v.optional(heldoutQuality),
  /** Mean training loss with which selection chose the last of the blocks. */
  selectionLoss: v.optional(v.number()),
  training: v.optional(v.object({ epochs: v.array(trainingEpoch), bestEpoch: count })),
});
export type CurvePoint = v.InferOutput<typeof curvePoint>;

export const answerScores = v.object({
  /** Share of answers that are the dataset's, word for word; absent if it brings none. */
  exactMatch: v.optional(estimate),
  /** Share that ends in the expected number. */
  numericMatch: v.optional(estimate),
});

export const sizeFigures = v.object({ modelBytes: count, cacheBytesPerToken: v.optional(v.number()) });
export type SizeFigures = v.InferOutput<typeof sizeFigures>;

export const speedFigures = v.object({
  /** Medians, in tokens a second. */
  promptTokensPerSecond: v.number(),
  newTokensPerSecond: v.number(),
  /** Peak resident memory of the process that ran the model alone. */
  peakBytes: v.number(),
  rounds: count,
});
export type SpeedFigures = v.InferOutput<typeof speedFigures>;

export const answerFigures = v.object({
  prompts: count,
  original: answerScores,
  slimmed: answerScores,
  /** Share of prompts that both answer in the same words. */
  same: estimate,
});
export type AnswerFigures = v.InferOutput<typeof answerFigures>;

export const runReport = v.object({
  layers: count,
  task: v.object({
    columns: v.string(),
    calibrationRows: count,
    heldoutRows: count,
    calibrationTokens: count,
    problems: v.array(problemCount),
    responses: v.picklist(['own', 'file']),
  }),
  /** Which figure of quality decides: whole answers, or single tokens where answers are long. */
  qualityMeasure: v.picklist(['answers', 'tokens']),
  original: heldoutQuality,
  points: v.array(curvePoint),
  /** Number of skipped blocks of the point that the run settled on; absent as long as it has not. */
  chosenPoint: v.optional(count),
  /** Answers of both models at the chosen point. */
  answers: v.optional(answerFigures),
  sizes: v.optional(v.object({ original: sizeFigures, slimmed: sizeFigures })),
  speed: v.optional(v.object({ original: speedFigures, slimmed: speedFigures })),
  exported: v.optional(v.object({ folder: filePath, largestDifference: v.number() })),
  /** Seconds by stage. */
  seconds: v.record(v.string(), v.number()),
});
export type RunReport = v.InferOutput<typeof runReport>;
