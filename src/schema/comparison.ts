/** A list of prompts through several models: what is asked, what is kept of it, and what it comes to. */
import * as v from 'valibot';
import { runId, runPoint } from './runs.js';
import { columnsText } from './settings.js';
import { count, estimate, filePath, modelChoice, positive, share } from './values.js';

/** A comparison's name, which is also its folder's. */
export const comparisonId = runId;

/** A point of a run's curve (0 blocks: its original), or any model. */
export const comparedModel = v.variant('kind', [
  v.object({ kind: v.literal('point'), ...runPoint.entries }),
  v.object({ kind: v.literal('model'), ...modelChoice.entries }),
]);
export type ComparedModel = v.InferOutput<typeof comparedModel>;

export const promptSource = v.variant('from', [
  /** The prompts that a run has held out. */
  v.object({ from: v.literal('heldout'), run: runId }),
  /** A dataset, or a text file with a prompt a line. */
  v.object({ from: v.literal('file'), file: filePath, columns: v.optional(columnsText) }),
]);
export type PromptSource = v.InferOutput<typeof promptSource>;

/** How a model is to answer, whether it is asked once or a list. */
export const askingOptions = {
  /** Put before each conversation that does not bring one of its own. */
  system: v.optional(v.pipe(v.string(), v.maxLength(20_000))),
  maxNewTokens: v.optional(v.pipe(positive, v.maxValue(8192)), 256),
  /** Absent: always the most likely token. */
  temperature: v.optional(v.pipe(v.number(), v.minValue(0.01), v.maxValue(5))),
  seed: v.optional(v.pipe(v.number(), v.integer()), 0),
};

export const comparisonSettings = v.object({
  /** The first is the one that the others are held against. */
  models: v.pipe(v.array(comparedModel), v.minLength(2), v.maxLength(8)),
  prompts: promptSource,
  /** The first prompts only. */
  count: v.optional(positive),
  ...askingOptions,
});
export type ComparisonSettings = v.InferOutput<typeof comparisonSettings>;

export const comparisonStatus = v.picklist(['running', 'stopped', 'failed', 'finished']);

/** comparison.json. */
export const comparison = v.object({
  version: v.literal(1),
  id: comparisonId,
  /** ISO 8601. */
  created: v.string(),
  /** 'running' only as long as a process works on it. */
  status: comparisonStatus,
  settings: comparisonSettings,
  /** Of the models, for people, in their order. */
  names: v.array(v.string()),
  /** Where the prompts came from, for people. */
  source: v.string(),
  prompts: count,
  /** The process that works on it. */
  process: v.optional(v.number()),
  /** Answers there were when work on it began last: where none came since, it is not begun again unasked. */
  answersAtStart: v.optional(count),
  /** Why it failed. */
  error: v.optional(v.string()),
});
export type Comparison = v.InferOutput<typeof comparison>;

/** One model's answer to one prompt, a line of answers.jsonl. */
export const keptAnswer = v.object({
  /** Places in the lists of models and of prompts. */
  model: count,
  prompt: count,
  text: v.string(),
  tokens: count,
  promptTokens: count,
  /** Reading the prompt, and writing the tokens after the first. */
  promptSeconds: v.number(),
  seconds: v.number(),
  /** Whether it was cut at the longest answer. */
  cut: v.boolean(),
  /** Why the model could not be asked this; there is no text then. */
  problem: v.optional(v.string()),
});
export type KeptAnswer = v.InferOutput<typeof keptAnswer>;

/** A vote between the first model's answer and another's, given without knowing whose is which. */
export const vote = v.object({
  prompt: count,
  /** The other model's place. */
  model: positive,
  preferred: v.picklist(['first', 'other', 'neither']),
});
export type Vote = v.InferOutput<typeof vote>;

/** What of a model's answers is like the first model's, on prompts that both have answered. */
export const pairedFigures = v.object({
  prompts: count,
  /** Share of prompts answered in the same words. */
  same: estimate,
  /** Where the prompts bring answers: right only by the first model, right only by this one. */
  lost: v.optional(count),
  gained: v.optional(count),
  /** Exact two-sided probability of flips as uneven as these, if both models were right equally often (McNemar). */
  flipChance: v.optional(share),
  /** Difference of the shares of right answers, this model's less the first's. */
  change: v.optional(estimate),
  /** Speed of writing over the first model's, over the same prompts. */
  speed: v.optional(estimate),
  /** Of votes that prefer one, the share that prefer this model; and how many preferred neither. */
  preferred: v.optional(estimate),
  votes: count,
  undecided: count,
});
export type PairedFigures = v.InferOutput<typeof pairedFigures>;

export const modelFigures = v.object({
  name: v.string(),
  answered: count,
  /** Prompts that it could not be asked. */
  problems: count,
  /** Where the prompts bring answers: share that is right, that is the very words, that ends in the number. */
  right: v.optional(estimate),
  exact: v.optional(estimate),
  numeric: v.optional(estimate),
  /** Mean of an answer, the reading of its prompt included. */
  seconds: v.optional(estimate),
  tokensPerSecond: v.optional(estimate),
  meanTokens: v.optional(v.number()),
  /** Absent for the first model. */
  against: v.optional(pairedFigures),
});
export type ModelFigures = v.InferOutput<typeof modelFigures>;

export const comparedAnswer = v.object({
  text: v.string(),
  tokens: count,
  seconds: v.number(),
  cut: v.boolean(),
  problem: v.optional(v.string()),
  right: v.optional(v.boolean()),
  /** Against the first model's answer: whether it is the same, and how far it is off (0 to 1). */
  same: v.optional(v.boolean()),
  disagreement: v.optional(share),
});
export type ComparedAnswer = v.InferOutput<typeof comparedAnswer>;

export const comparedRow = v.object({
  /** Place in the list of prompts, and line of the file. */
  index: count,
  line: count,
  prompt: v.string(),
  expected: v.optional(v.string()),
  /** By model; null where it has not answered yet. */
  answers: v.array(v.nullable(comparedAnswer)),
});
export type ComparedRow = v.InferOutput<typeof comparedRow>;

export const comparisonSummary = v.object({
  ...v.omit(comparison, ['version', 'process', 'answersAtStart']).entries,
  /** Answers there are, of those foreseen. */
  done: count,
  total: count,
  /** Left by a process that was killed at it, and that had got on: to be gone on with unasked. */
  interrupted: v.boolean(),
});
export type ComparisonSummary = v.InferOutput<typeof comparisonSummary>;

export const comparisonDetails = v.object({
  summary: comparisonSummary,
  models: v.array(modelFigures),
  /** Worst first: right answers lost, then what differs most. */
  rows: v.array(comparedRow),
  votes: v.array(vote),
});
export type ComparisonDetails = v.InferOutput<typeof comparisonDetails>;
