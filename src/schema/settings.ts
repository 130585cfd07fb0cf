/** What a job is told: its schema and its defaults, written once for command line, app and library. */
import * as v from 'valibot';
import { textUnit } from './columns.js';
import { aim, cuts } from './cuts.js';
import { count, filePath, modelChoice, positive, share } from './values.js';

export const provider = v.picklist(['cpu', 'webgpu', 'cuda', 'dml', 'coreml']);
/** An execution provider, by onnxruntime's name. */
export type Provider = v.InferOutput<typeof provider>;

/** 'auto': the first provider that starts and is not slower than the CPU; the CPU where that fails at the model. */
export const PROVIDER_NAMES = [...provider.options, 'auto'] as const;

export const budget = v.variant('kind', [
  /** None at all where the model is cut in other ways. */
  v.object({ kind: v.literal('blocks'), blocks: count }),
  /** Goes on as long as the held-out quality is at most this share below the original's. */
  v.object({ kind: v.literal('quality'), largestDrop: share }),
]);
export type Budget = v.InferOutput<typeof budget>;

/**
 * How fine the scales are: one number a block (the published method) or one an output channel; with gains, each norm's
 * channels have scales too; with offsets, each skipped block leaves a constant vector behind.
 */
export const granularity = v.picklist([
  'scalar',
  'channel',
  'channel+offset',
  'channel+gain',
  'channel+gain+offset',
]);
export type Granularity = v.InferOutput<typeof granularity>;

/** Which kinds of blocks may be skipped. */
export const skippedKind = v.picklist(['attention', 'mlp', 'both']);

export const strategyName = v.picklist([
  'contest',
  'fast',
  'exhaustive',
  'cosine',
  'greedy',
  'block-influence',
  'last',
  'random',
]);
export type StrategyName = v.InferOutput<typeof strategyName>;

export const exportMode = v.picklist(['folded', 'explicit']);
/** Scales folded into the weights, or in the graph as named initializers with a Mul each. */
export type ExportMode = v.InferOutput<typeof exportMode>;

/** Whose answers are learnt from: the model's own, or the file's. */
export const responses = v.picklist(['own', 'file']);

/** What is learnt: the labels themselves, or the original's distribution of the next token (KL divergence). */
export type LossKind = 'cross-entropy' | 'divergence';

/** Own answers are to stay what they are, so the whole distribution is learnt; the file's are to be written. */
export function lossKindFor(whose: v.InferOutput<typeof responses>): LossKind {
  return whose === 'own' ? 'divergence' : 'cross-entropy';
}

/** Overrides of the final training's defaults, which depend on the scales. */
export const trainingChoices = v.partial(
  v.object({
    epochs: positive,
    /** Rows of a batch of the final training; default: batchRows for scalar scales, 4 for finer ones. */
    batchRows: positive,
    learningRate: v.pipe(v.number(), v.minValue(0)),
    /** How often it may begin again with half the rate where its first epoch made the held-out loss worse. */
    restarts: count,
    schedule: v.picklist(['constant', 'linear']),
    /** Decay of Adam's second moments. */
    beta2: v.pipe(v.number(), v.minValue(0), v.ltValue(1)),
    pull: v.pipe(v.number(), v.minValue(0)),
    /** Weight of the distance from the original's last hidden states, beside the loss; 0 for none. */
    distillation: v.pipe(v.number(), v.minValue(0)),
  }),
);

const choices = {
  budget,
  /** What else is made smaller, before blocks are chosen. */
  cuts,
  /** Decides budget and cuts, which are not looked at then. */
  aim,
  kind: skippedKind,
  strategy: strategyName,
  scales: granularity,
  /** Adam's learning rate for the scales of candidates. */
  selectionLearningRate: v.number(),
  training: trainingChoices,
  /** Whether every point of the curve gets its scales trained, or only the last. */
  trainPoints: v.picklist(['all', 'last']),
  responses,
  batchRows: positive,
  /** 'file': rows in the order of the file; 'length-buckets': rows of like length together. */
  order: v.picklist(['file', 'length-buckets']),
  /** Tokens of the rows, prompts and responses together: as many rows are drawn as they allow. */
  calibrationTokens: positive,
  heldoutTokens: positive,
  /** Rows instead of tokens; what is over is not used. */
  calibrationRows: positive,
  heldoutRows: positive,
  /** Longest row in tokens, prompt and response together. */
  maxTokens: v.pipe(positive, v.minValue(2)),
  /** What is done with longer rows. */
  overlong: v.picklist(['cut', 'drop']),
  /** Longest answer of the model's own. */
  maxNewTokens: positive,
  /** Held-out prompts that both models answer for the report; 0 for none. */
  answerRows: count,
  seed: v.pipe(v.number(), v.integer()),
  provider: v.picklist(PROVIDER_NAMES),
  threads: positive,
  /** Bytes of memory that the job may take; models that do not fit are run in segments. Absent: no limit. */
  memory: positive,
};

/** What a user may choose; what is left out has a default. */
export const jobChoices = v.partial(v.object(choices));
export type JobChoices = v.InferOutput<typeof jobChoices>;

/** 'prompt=question,response=answer' and the like; absent: guessed from the columns' names. */
export const columnsText = v.pipe(v.string(), v.maxLength(2000));

/** Rows of the file by number, from 0, both included. */
const rowRange = v.object({ first: count, last: count });

export const jobSettings = v.object({
  ...modelChoice.entries,
  /** Dataset file. */
  dataset: filePath,
  columns: v.optional(columnsText),
  /** What a row of a plain text file is. */
  textUnit: v.optional(textUnit, 'auto'),
  budget: v.optional(choices.budget, { kind: 'blocks', blocks: 4 }),
  cuts: v.optional(choices.cuts, {}),
  aim: v.optional(choices.aim),
  kind: v.optional(choices.kind, 'attention'),
  strategy: v.optional(choices.strategy, 'contest'),
  scales: v.optional(choices.scales, 'channel+gain'),
  selectionLearningRate: v.optional(choices.selectionLearningRate, 1e-2),
  training: v.optional(choices.training, {}),
  trainPoints: v.optional(choices.trainPoints, 'last'),
  responses: v.optional(choices.responses, 'own'),
  batchRows: v.optional(choices.batchRows, 16),
  order: v.optional(choices.order, 'length-buckets'),
  calibrationTokens: v.optional(choices.calibrationTokens, 16_000),
  heldoutTokens: v.optional(choices.heldoutTokens, 8_000),
  calibrationRows: v.optional(choices.calibrationRows),
  heldoutRows: v.optional(choices.heldoutRows),
  /** Rows of the file by number instead of a drawn split. */
  calibrationRange: v.optional(rowRange),
  heldoutRange: v.optional(rowRange),
  maxTokens: v.optional(choices.maxTokens, 512),
  overlong: v.optional(choices.overlong, 'drop'),
  maxNewTokens: v.optional(choices.maxNewTokens, 96),
  answerRows: v.optional(choices.answerRows, 32),
  /** Rounds of the speed measurement; 0 for none. */
  speedRounds: v.optional(count, 3),
  seed: v.optional(choices.seed, 0),
  provider: v.optional(choices.provider, 'cpu'),
  threads: v.optional(choices.threads),
  memory: v.optional(choices.memory),
  /** Folder of the exported model; absent: none is written. */
  output: v.optional(filePath),
  exportMode: v.optional(exportMode, 'folded'),
});
export type JobSettings = v.InferOutput<typeof jobSettings>;
/** Settings as they are given: what has a default may be left out. */
export type JobSettingsInput = v.InferInput<typeof jobSettings>;
