/** Step 3, the budget: what a job is told. Names and meaning are those of the engine's settings. */
import * as v from 'valibot';
import { filePath, modelChoice, positive, share } from './values.js';

export const provider = v.picklist(['cpu', 'webgpu', 'cuda', 'dml', 'coreml']);
export type Provider = v.InferOutput<typeof provider>;

export const budget = v.variant('kind', [
  v.object({ kind: v.literal('blocks'), blocks: positive }),
  /** Goes on as long as the held-out quality is at most this share below the original's. */
  v.object({ kind: v.literal('quality'), largestDrop: share }),
]);
export type Budget = v.InferOutput<typeof budget>;

export const granularity = v.picklist([
  'scalar',
  'channel',
  'channel+offset',
  'channel+gain',
  'channel+gain+offset',
]);

/** What a user may choose; everything has a default (`job.options`). */
export const jobChoices = v.object({
  budget: v.optional(budget),
  /** Which blocks may be skipped. */
  blocks: v.optional(v.picklist(['attention', 'mlp', 'both'])),
  /** One of the names in `job.options`. */
  strategy: v.optional(v.pipe(v.string(), v.maxLength(60))),
  scales: v.optional(granularity),
  selectionLearningRate: v.optional(v.number()),
  training: v.optional(
    v.object({
      epochs: v.optional(positive),
      /** Rows of a batch of the final training. */
      batchRows: v.optional(positive),
      learningRate: v.optional(v.pipe(v.number(), v.minValue(0))),
      schedule: v.optional(v.picklist(['constant', 'linear'])),
      /** How often it may begin again with half the rate where its first epoch made the held-out loss worse. */
      restarts: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
      /** Decay of Adam's second moments. */
      beta2: v.optional(v.pipe(v.number(), v.minValue(0), v.ltValue(1))),
      pull: v.optional(v.pipe(v.number(), v.minValue(0))),
      /** Weight of the distance from the original's last hidden states, beside the loss; 0 for none. */
      distillation: v.optional(v.pipe(v.number(), v.minValue(0))),
    }),
  ),
  trainPoints: v.optional(v.picklist(['all', 'last'])),
  responses: v.optional(v.picklist(['own', 'file'])),
  batchRows: v.optional(positive),
  order: v.optional(v.picklist(['file', 'length-buckets'])),
  calibrationRows: v.optional(positive),
  heldoutRows: v.optional(positive),
  maxTokens: v.optional(v.pipe(positive, v.minValue(2))),
  overlong: v.optional(v.picklist(['cut', 'drop'])),
  maxNewTokens: v.optional(positive),
  answerRows: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  seed: v.optional(v.pipe(v.number(), v.integer())),
  /** 'auto': the first provider of `providers.list` that works and is not slower than the CPU; the CPU where that fails at the model. */
  provider: v.optional(v.union([v.literal('auto'), provider])),
  threads: v.optional(positive),
  /** Bytes of memory that the job may take; a model that does not fit is run a few layers at a time. */
  memory: v.optional(positive),
});
export type JobChoices = v.InferOutput<typeof jobChoices>;

/** A whole job: model, task and choices. */
export const jobSettings = v.object({
  ...modelChoice.entries,
  dataset: filePath,
  columns: v.optional(v.pipe(v.string(), v.maxLength(2000))),
  ...jobChoices.entries,
});
export type JobSettings = v.InferOutput<typeof jobSettings>;

export const jobOptions = v.object({
  /** The settings of a job that is told nothing. */
  defaults: jobChoices,
  /** What the final training does by default, by granularity of the scales. */
  training: v.record(
    granularity,
    v.object({
      epochs: positive,
      learningRate: v.number(),
      schedule: v.picklist(['constant', 'linear']),
      beta2: v.optional(v.number()),
      restarts: v.optional(v.number()),
      pull: v.number(),
      distillation: v.optional(v.number()),
    }),
  ),
  strategies: v.array(v.object({ name: v.string(), description: v.string() })),
  /** From quick to thorough: what each changes of the defaults. */
  presets: v.array(v.object({ name: v.picklist(['quick', 'balanced', 'thorough']), choices: jobChoices })),
});
export type JobOptions = v.InferOutput<typeof jobOptions>;

export const providerDescription = v.object({
  name: provider,
  /** As people know it: 'Processor', 'Graphics card (WebGPU)'. */
  label: v.string(),
  /** The device's own name where it is known. */
  device: v.optional(v.string()),
  /** False if it is part of onnxruntime here, but could not be started. */
  works: v.boolean(),
  /** Why it does not work. */
  message: v.optional(v.string()),
});
export type ProviderDescription = v.InferOutput<typeof providerDescription>;

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

export const budgetRequests = {
  'job.options': { input: v.undefined(), output: jobOptions },
  /** Execution providers of onnxruntime on this machine, in the order in which 'auto' tries them. */
  'providers.list': { input: v.undefined(), output: v.array(providerDescription) },
  /** Measures a gradient step and a few generated tokens on this machine; takes some seconds. */
  'job.estimate': { input: jobSettings, output: jobEstimate },
} as const;
