/** What a run has measured: plain data, kept as report.json. */
import * as v from 'valibot';
import { blockName } from './blocks.js';
import { madeCut, triedStep } from './cuts.js';
import { problemCount } from './problems.js';
import { responses } from './settings.js';
import { count, estimate, filePath, type Estimate } from './values.js';

export const tokenAgreement = v.object({
  /** Share of response tokens at which both models find the same next token the most likely. */
  sameTopToken: estimate,
  /** Shares of the response tokens that only the one or only the other predicts. */
  onlyOriginal: estimate,
  onlySlimmed: estimate,
  /** Perplexity over the original's. */
  perplexityRatio: estimate,
  /** Divergence that 99 % of the tokens stay below, and the largest, in nats. */
  divergence99: v.number(),
  divergenceMax: v.number(),
});
export type TokenAgreement = v.InferOutput<typeof tokenAgreement>;

export const heldoutQuality = v.object({
  rows: count,
  tokens: count,
  /** Mean negative log-likelihood of a response token, in nats. */
  loss: estimate,
  perplexity: estimate,
  /** Share of response tokens that are the most likely next token. */
  tokenAccuracy: estimate,
  /** Share of rows in which every response token is: those that greedy generation answers in the very same words. */
  answerAccuracy: estimate,
  /** Mean KL divergence from the original's next-token distribution, in nats a token; absent for the original. */
  divergence: v.optional(estimate),
  /** How the tokens stand to the original's; absent for the original, and in reports of earlier versions. */
  agreement: v.optional(tokenAgreement),
});
export type HeldoutQuality = v.InferOutput<typeof heldoutQuality>;

/** Which figure of quality decides: whole answers, or single tokens where answers are long. */
export const qualityMeasure = v.picklist(['answers', 'tokens']);
export type QualityMeasure = v.InferOutput<typeof qualityMeasure>;

/** The share that a quality budget looks at. */
export function qualityShare(quality: HeldoutQuality, measure: QualityMeasure): number {
  return measure === 'answers' ? quality.answerAccuracy.value : quality.tokenAccuracy.value;
}

export const trainingEpoch = v.object({
  epoch: count,
  /** Mean over the epoch's batches; null for epoch 0, before any training. */
  trainingLoss: v.nullable(v.number()),
  /** Mean over the response tokens of the held-out rows that judge epochs, which may be a part of them. */
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

/** Where the rows came from. */
export const taskSummary = v.object({
  /** Columns as they were read, in words. */
  columns: v.string(),
  calibrationRows: count,
  heldoutRows: count,
  calibrationTokens: count,
  problems: v.array(problemCount),
  /** Whose answers the scales learn from. */
  responses,
});
export type TaskSummary = v.InferOutput<typeof taskSummary>;

export const answerScores = v.object({
  /** Share of answers that are the dataset's, word for word; absent if it brings none. */
  exactMatch: v.optional(estimate),
  /** Share that ends in the expected number, of the answers expected to end in '#### N'. */
  numericMatch: v.optional(estimate),
});
export type AnswerScores = v.InferOutput<typeof answerScores>;

export const answerFigures = v.object({
  prompts: count,
  original: answerScores,
  slimmed: answerScores,
  /** Share of prompts that both models answer in the same words. */
  same: estimate,
});
export type AnswerFigures = v.InferOutput<typeof answerFigures>;

/** Both models' answers to one held-out prompt. */
export const answerRow = v.object({
  line: count,
  /** The dataset's own answer. */
  expected: v.optional(v.string()),
  original: v.string(),
  slimmed: v.string(),
});
export type AnswerRow = v.InferOutput<typeof answerRow>;

/** Kept in a run's folder, for each point of the curve that was asked. */
export const answerComparison = v.object({ ...answerFigures.entries, rows: v.array(answerRow) });
export type AnswerComparison = v.InferOutput<typeof answerComparison>;

export const sizeFigures = v.object({
  /** Bytes on disk of the ONNX file and its external weights. */
  modelBytes: count,
  /** Bytes that each token adds to the KV cache; absent without a cache. */
  cacheBytesPerToken: v.optional(v.number()),
});
export type SizeFigures = v.InferOutput<typeof sizeFigures>;

export const speedFigures = v.object({
  /** Medians over the rounds, in tokens a second. */
  promptTokensPerSecond: v.number(),
  newTokensPerSecond: v.number(),
  /** Peak resident memory of the process that ran the model alone, in bytes. */
  peakBytes: v.number(),
  rounds: count,
  /**
   * Times as fast as the model that it was measured against, with a 95 % interval over prompts that both were given one
   * right after the other. Absent for that model, and in reports of earlier versions.
   */
  against: v.optional(v.object({ prompt: estimate, answer: estimate })),
});
export type SpeedFigures = v.InferOutput<typeof speedFigures>;

/** What an interval of how many times as fast a model is says: nothing where it spans 1. */
export function speedVerdict({ low, high }: Estimate): 'faster' | 'slower' | 'too noisy to tell' {
  if (low > 1) return 'faster';
  return high < 1 ? 'slower' : 'too noisy to tell';
}

/** Size, speed and memory of both models, as measured. */
export const resourceFigures = v.object({
  sizes: v.optional(v.object({ original: sizeFigures, slimmed: sizeFigures })),
  speed: v.optional(v.object({ original: speedFigures, slimmed: speedFigures })),
  /** One sentence: why speed was not measured. */
  note: v.optional(v.string()),
});
export type ResourceFigures = v.InferOutput<typeof resourceFigures>;

/** Kept in a run's folder, for each point of the curve that was measured. */
export const measuredPoint = v.required(resourceFigures, ['sizes']);

/** How the model is run, so that a kind of work stays within a limit of memory. */
export const memoryPlan = v.object({
  work: v.picklist(['answers', 'calibration']),
  limitBytes: v.number(),
  /** All weights of the model. */
  weightBytes: v.number(),
  /** Resident memory before the trial, and at its peak: one layer a segment, one segment loaded at a time. */
  beforeBytes: v.number(),
  trialBytes: v.number(),
  segments: count,
  /** Whether one segment is loaded at a time; otherwise the weights of all stay in memory. */
  inTurn: v.boolean(),
});
export type MemoryPlan = v.InferOutput<typeof memoryPlan>;

export const runReport = v.object({
  version: v.literal(1),
  layers: count,
  task: taskSummary,
  qualityMeasure,
  original: heldoutQuality,
  /** The original with trained scales and nothing skipped, where the file's answers are learnt. */
  trainedOriginal: v.optional(heldoutQuality),
  /** Cuts that were made before blocks were chosen, in their order; absent in reports of earlier versions. */
  cuts: v.optional(v.array(madeCut)),
  /** What was tried for an aim, and taken or not. */
  plan: v.optional(v.array(triedStep)),
  points: v.array(curvePoint),
  /** Number of skipped blocks of the point that the run settled on; absent as long as it has not. */
  chosenPoint: v.optional(count),
  /** Answers of both models at the chosen point. */
  answers: v.optional(answerFigures),
  ...resourceFigures.entries,
  exported: v.optional(
    v.object({
      folder: filePath,
      /** Largest difference of the written model's logits from the trained one's. */
      largestDifference: v.number(),
      /** One sentence: why the scales are explicit where they were to be folded. */
      modeReason: v.optional(v.string()),
      /** One sentence: which files beside the model were not copied. */
      leftOut: v.optional(v.string()),
    }),
  ),
  /** Where memory was limited: how the model was run, and the most memory that the job's process took. */
  memory: v.optional(v.object({ plans: v.array(memoryPlan), peakBytes: v.number() })),
  /** Seconds by stage. */
  seconds: v.record(v.string(), v.number()),
  /** Seconds in which a point was trained and measured, by its number of blocks; of those that were in one go. */
  pointSeconds: v.optional(v.record(v.string(), v.number())),
});
export type RunReport = v.InferOutput<typeof runReport>;
