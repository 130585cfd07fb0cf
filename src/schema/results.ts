/** What jobs answer: a task's preview, an estimate, answers side by side, an export. */
import * as v from 'valibot';
import { columnMapping, datasetFormat } from './columns.js';
import { problemCount } from './problems.js';
import { exportMode, responses } from './settings.js';
import { count, filePath, share } from './values.js';

/** Text of one token or of several, and what it is to the model. */
export const textPiece = v.object({
  text: v.string(),
  /** 'prompt' is read, 'response' is predicted and learnt from. */
  part: v.picklist(['prompt', 'response']),
  /** A special token such as <|user|>. */
  special: v.boolean(),
});
export type TextPiece = v.InferOutput<typeof textPiece>;

export const previewRow = v.object({
  /** 1-based line of the file, or number of the row. */
  line: count,
  side: v.picklist(['calibration', 'heldout', 'unused']),
  pieces: v.array(textPiece),
  promptTokens: count,
  /** 0 where the model will answer itself and has not yet. */
  responseTokens: count,
});
export type PreviewRow = v.InferOutput<typeof previewRow>;

/** Lengths of rows in tokens. */
export const lengthStatistics = v.object({
  rows: count,
  /** Sum over all rows. */
  tokens: count,
  min: count,
  median: count,
  mean: v.number(),
  /** Nine tenths of the rows are no longer. */
  p90: count,
  max: count,
  /** Lengths from `from` to `to`, both included. */
  histogram: v.array(v.object({ from: count, to: count, rows: count })),
});
export type LengthStatistics = v.InferOutput<typeof lengthStatistics>;

export const taskWarning = v.object({
  kind: v.picklist([
    'few-rows',
    'few-heldout',
    'dropped-rows',
    'cut-rows',
    'duplicates',
    'unusable-rows',
    'no-template',
  ]),
  count,
});
export type TaskWarning = v.InferOutput<typeof taskWarning>;

const dataset = {
  dataset: filePath,
  name: v.string(),
  format: datasetFormat,
  /** Rows of the file that could be read. */
  rows: count,
  columns: v.array(v.string()),
  /** The first rows as they are, values as text. */
  samples: v.array(v.record(v.string(), v.string())),
  problems: v.array(problemCount),
};

export const taskPreview = v.variant('state', [
  v.object({
    state: v.literal('ready'),
    ...dataset,
    mapping: columnMapping,
    /** The mapping as a job's settings take it. */
    mappingText: v.string(),
    guessed: v.boolean(),
    /** A sentence: which columns were taken, and why. */
    reason: v.string(),
    /** Whether the file brings answers that could be learnt from. */
    hasResponses: v.boolean(),
    /** Plain text has no prompts: all of it is learnt from. */
    isText: v.boolean(),
    /** Whose answers will be learnt from, as asked or as the data demand. */
    responses,
    preview: v.array(previewRow),
    /** Whole rows, or prompts alone where the model answers itself. */
    lengths: lengthStatistics,
    split: v.object({ calibration: count, heldout: count, unused: count }),
    warnings: v.array(taskWarning),
  }),
  /** The columns could not be guessed or do not fit: the user has to say what they mean. */
  v.object({
    state: v.literal('columns-needed'),
    ...dataset,
    message: v.string(),
    /** What the user said so far, if it makes sense as such. */
    mapping: v.optional(columnMapping),
  }),
]);
export type TaskPreview = v.InferOutput<typeof taskPreview>;

/** A model of another format, and what it becomes as ONNX. */
export const foreseenImport = v.object({
  name: v.string(),
  format: v.picklist(['gguf', 'safetensors']),
  /** The family's name, for people. */
  family: v.string(),
  layers: count,
  /** Of the files that the weights are in, and about of all that will be written. */
  sourceBytes: count,
  bytes: count,
  /** Where it will lie, and the space there; absent where the system does not say. */
  folder: filePath,
  freeBytes: v.optional(count),
});
export type ForeseenImport = v.InferOutput<typeof foreseenImport>;

export const jobEstimate = v.object({
  /** Whether there is enough memory. */
  fits: v.boolean(),
  /** One sentence: why it does not fit, or how it is made to. */
  reason: v.optional(v.string()),
  /** Estimated time of the whole job, in seconds; absent if it could not be measured. */
  seconds: v.optional(v.number()),
  parts: v.object({ answers: v.number(), calibration: v.number(), comparison: v.number() }),
  /** Work of the calibration in steps (a forward pass of a batch each), and seconds of one as measured just now. */
  steps: v.number(),
  stepSeconds: v.number(),
  /** Estimated peak of memory, and what the machine has free. */
  memoryBytes: v.number(),
  availableBytes: v.number(),
  /** One sentence: which device was measured and why, where that is not asked for by name. */
  device: v.optional(v.string()),
});
export type JobEstimate = v.InferOutput<typeof jobEstimate>;

export const answer = v.object({
  text: v.string(),
  /** The text token by token; joined they are the text. */
  pieces: v.array(v.string()),
  tokens: count,
  promptTokens: count,
  /** Time that this model alone took, in seconds: reading the prompt, writing the answer. */
  promptSeconds: v.number(),
  seconds: v.number(),
  tokensPerSecond: v.number(),
  /** 'length': cut at the largest number of tokens; 'stopped': by the user. */
  finishedBy: v.picklist(['stop', 'length', 'stopped']),
});
export type Answer = v.InferOutput<typeof answer>;

export const promptComparison = v.object({ original: answer, slimmed: answer, same: v.boolean() });
export type PromptComparison = v.InferOutput<typeof promptComparison>;

/** A question that was asked before, and what each model said to it. */
export const turn = v.object({ prompt: v.string(), original: v.string(), slimmed: v.string() });
export type Turn = v.InferOutput<typeof turn>;

export const heldoutRow = v.object({
  line: count,
  /** What the user's side of the conversation says. */
  prompt: v.string(),
  /** The dataset's own answer. */
  expected: v.optional(v.string()),
  original: v.string(),
  slimmed: v.string(),
  same: v.boolean(),
  /** Whether each is right, where the dataset brings answers. */
  originalRight: v.optional(v.boolean()),
  slimmedRight: v.optional(v.boolean()),
  /** 0: the same words; 1: nothing in common. */
  disagreement: share,
});
export type HeldoutRow = v.InferOutput<typeof heldoutRow>;

export const exportedFile = v.object({
  /** Relative to the folder, with forward slashes. */
  name: v.string(),
  bytes: count,
  estimated: v.boolean(),
  what: v.picklist(['model', 'weights', 'config', 'tokenizer', 'record', 'readme', 'other']),
});
export type ExportedFile = v.InferOutput<typeof exportedFile>;

export const exportPreview = v.object({
  folder: filePath,
  /** What will be written; sizes are estimates for the model's own files. */
  files: v.array(exportedFile),
  totalBytes: count,
  originalBytes: count,
  /** Free on the disk; absent where it is not known. */
  freeBytes: v.optional(v.number()),
  /** One sentence: why it cannot be written there. */
  problem: v.optional(v.string()),
});
export type ExportPreview = v.InferOutput<typeof exportPreview>;

/** The check of a written file against the trained model. */
export const verification = v.object({
  largestDifference: v.number(),
  largestLogit: v.number(),
  tolerance: v.number(),
  positions: count,
  /** Mean KL divergence of the written model from the trained one, in nats a token. */
  divergence: v.number(),
  /** The largest that counts as the trained model's own noise, where its numbers are noisy and the tolerance is that. */
  noise: v.optional(v.number()),
});
export type Verification = v.InferOutput<typeof verification>;

/** Code that loads an exported folder, to copy. */
export const snippet = v.object({
  runtime: v.picklist(['transformers.js', 'onnxruntime-genai', 'onnxruntime']),
  language: v.picklist(['js', 'python']),
  code: v.string(),
});
export type Snippet = v.InferOutput<typeof snippet>;

export const exportResult = v.object({
  folder: filePath,
  /** The ONNX file, relative to the folder. */
  modelFile: filePath,
  /** What was written. */
  files: v.array(exportedFile),
  originalBytes: count,
  slimmedBytes: count,
  /** Where folding does not give the trained model, scales are explicit; then one sentence says why. */
  mode: exportMode,
  modeReason: v.optional(v.string()),
  /** One sentence: which files beside the model were not copied, as they are links to places outside of its folder. */
  leftOut: v.optional(v.string()),
  verification,
  snippets: v.array(snippet),
});
export type ExportResult = v.InferOutput<typeof exportResult>;
