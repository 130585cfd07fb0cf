/** Step 2, the task: a dataset as the model will see it. */
import * as v from 'valibot';
import { count, filePath, modelChoice, positive } from './values.js';

export const datasetFormat = v.picklist(['jsonl', 'json', 'csv', 'parquet', 'text']);

export const columnMapping = v.variant('kind', [
  v.object({ kind: v.literal('messages'), messages: v.string() }),
  v.object({
    kind: v.literal('prompt-response'),
    prompt: v.string(),
    input: v.optional(v.string()),
    choices: v.optional(v.array(v.string())),
    /** Absent: the model's own answers are the responses. */
    response: v.optional(v.string()),
    system: v.optional(v.string()),
  }),
  v.object({ kind: v.literal('text'), text: v.string() }),
]);
export type ColumnMapping = v.InferOutput<typeof columnMapping>;

/** What of a job's settings shows in the preview. */
export const taskOptions = v.object({
  /** Written as 'prompt=question,response=answer'; absent: guessed. */
  columns: v.optional(v.pipe(v.string(), v.maxLength(2000))),
  responses: v.optional(v.picklist(['own', 'file'])),
  calibrationRows: v.optional(positive),
  heldoutRows: v.optional(positive),
  maxTokens: v.optional(v.pipe(positive, v.minValue(2))),
  overlong: v.optional(v.picklist(['cut', 'drop'])),
  seed: v.optional(v.pipe(v.number(), v.integer())),
  /** Rows shown. */
  previewRows: v.optional(v.pipe(positive, v.maxValue(100)), 20),
});
export type TaskOptions = v.InferInput<typeof taskOptions>;

export const rowProblemKind = v.picklist([
  'malformed',
  'empty',
  'duplicate',
  'no-response',
  'too-long',
  'cut',
  'unread',
]);

/** Problems of one kind. */
export const problemCount = v.object({
  kind: rowProblemKind,
  count,
  /** The first few lines concerned. */
  lines: v.array(count),
  /** The message of the first one. */
  example: v.string(),
});
export type ProblemCount = v.InferOutput<typeof problemCount>;

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

export const lengthStatistics = v.object({
  rows: count,
  tokens: count,
  min: count,
  median: count,
  mean: v.number(),
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
    responses: v.picklist(['own', 'file']),
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

export const taskRequests = {
  /** A dialog; no path if the user cancelled. */
  'task.choose': { input: v.undefined(), output: v.object({ path: v.optional(filePath) }) },
  /**
   * Keeps pasted prompts as a dataset file: JSON lines as they are, otherwise a prompt a line, or a prompt a
   * paragraph where blank lines stand between them.
   */
  'task.paste': {
    input: v.object({ text: v.pipe(v.string(), v.minLength(1), v.maxLength(5_000_000)) }),
    output: v.object({ path: filePath, rows: count }),
  },
  'task.open': {
    input: v.object({ ...modelChoice.entries, dataset: filePath, ...taskOptions.entries }),
    output: taskPreview,
  },
  'task.recent': {
    input: v.undefined(),
    output: v.array(
      v.object({ dataset: filePath, name: v.string(), exists: v.boolean(), isSample: v.boolean() }),
    ),
  },
} as const;
