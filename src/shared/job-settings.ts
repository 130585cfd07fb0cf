/** Step 3, the budget: what a job may be told, and what it will take. */
import * as v from 'valibot';
import { jobEstimate } from '../schema/results.js';
import { granularity, jobChoices, jobSettings, provider, strategyName } from '../schema/settings.js';
import { count, positive } from '../schema/values.js';

/** A job as the page asks for it: where its result goes is chosen in step 6. */
export const jobRequest = v.object({
  ...v.omit(jobSettings, [
    'output',
    'exportMode',
    'speedRounds',
    'calibrationRange',
    'heldoutRange',
    'provider',
  ]).entries,
  /** People with a graphics card expect it to be used. */
  provider: v.optional(jobSettings.entries.provider.wrapped, 'auto'),
});
export type JobRequest = v.InferInput<typeof jobRequest>;

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
      beta2: v.number(),
      restarts: count,
      pull: v.number(),
      distillation: v.number(),
    }),
  ),
  strategies: v.array(v.object({ name: strategyName, description: v.string() })),
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

export const budgetRequests = {
  'job.options': { input: v.undefined(), output: jobOptions },
  /** Execution providers of onnxruntime on this machine, in the order in which 'auto' tries them. */
  'providers.list': { input: v.undefined(), output: v.array(providerDescription) },
  /** Measures a gradient step and a few generated tokens on this machine; takes some seconds. */
  'job.estimate': { input: jobRequest, output: jobEstimate },
  /** The estimate under way is answered as cancelled; another one does that by itself. */
  'job.stopEstimate': { input: v.undefined(), output: v.undefined() },
} as const;
