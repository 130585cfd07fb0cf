/** What a slimming job is told: its schema, its defaults, and what follows from them. */
import * as v from 'valibot';
import { GRANULARITIES } from '../../decoder/scales.js';
import { defaultTraining, type TrainingSettings } from '../../calibrate/train/train-scales.js';
import type { BlockKind } from '../../decoder/decoder.js';
import { ProviderFailure } from '../../../schema/errors.js';
import { chooseProvider, displayName, forgetAutomaticChoice } from '../../runtime/providers.js';
import type { SessionOptions } from '../../runtime/session.js';

/** What a job may be told to run on. */
export const PROVIDER_NAMES = ['cpu', 'webgpu', 'cuda', 'dml', 'coreml', 'auto'] as const;

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const rowRange = v.object({
  first: v.pipe(v.number(), v.integer(), v.minValue(0)),
  last: v.pipe(v.number(), v.integer()),
});

export const slimSettingsSchema = v.object({
  /** Model folder or ONNX file. */
  model: v.string(),
  /** Which ONNX file of the folder. */
  modelFile: v.optional(v.string()),
  /** Dataset file. */
  dataset: v.string(),
  /** 'prompt=question,response=answer' and the like (data/columns.ts). Default: guessed from the columns' names. */
  columns: v.optional(v.string()),
  budget: v.optional(
    v.variant('kind', [
      v.object({ kind: v.literal('blocks'), blocks: count }),
      /** Goes on as long as the held-out quality is at most this share below the original's. */
      v.object({ kind: v.literal('quality'), largestDrop: v.pipe(v.number(), v.minValue(0), v.maxValue(1)) }),
    ]),
    { kind: 'blocks', blocks: 4 },
  ),
  /** Which blocks may be skipped. */
  blocks: v.optional(v.picklist(['attention', 'mlp', 'both']), 'attention'),
  strategy: v.optional(v.string(), 'fast'),
  scales: v.optional(v.picklist(GRANULARITIES), 'channel+gain'),
  /** Adam's learning rate for the scales of candidates. */
  selectionLearningRate: v.optional(v.number(), 1e-2),
  /** Overrides of the final training's defaults, which depend on the scales. */
  training: v.optional(
    v.partial(
      v.object({
        epochs: count,
        /** Rows of a batch of the final training; default: batchRows for scalar scales, half of it for finer ones. */
        batchRows: count,
        learningRate: v.pipe(v.number(), v.minValue(0)),
        /** How often it may begin again with half the rate where its first epoch made the held-out loss worse. */
        restarts: v.pipe(v.number(), v.integer(), v.minValue(0)),
        schedule: v.picklist(['constant', 'linear']),
        /** Decay of Adam's second moments. */
        beta2: v.pipe(v.number(), v.minValue(0), v.ltValue(1)),
        pull: v.pipe(v.number(), v.minValue(0)),
        distillation: v.pipe(v.number(), v.minValue(0)),
      }),
    ),
    {},
  ),
  /** Whether every point of the curve gets its scales trained, or only the last. */
  trainPoints: v.optional(v.picklist(['all', 'last']), 'all'),
  /** Whose answers are learnt from: the model's own, or the file's. */
  responses: v.optional(v.picklist(['own', 'file']), 'own'),
  batchRows: v.optional(count, 32),
  /** 'file': rows in the order of the file; 'length-buckets': rows of like length together. */
  order: v.optional(v.picklist(['file', 'length-buckets']), 'length-buckets'),
  /** Rows for calibration and held-out at the most; what is over is not used. */
  calibrationRows: v.optional(count, 256),
  heldoutRows: v.optional(count, 128),
  /** Rows of the file by number, from 0, instead of a drawn split. */
  calibrationRange: v.optional(rowRange),
  heldoutRange: v.optional(rowRange),
  /** Longest row in tokens, prompt and response together. */
  maxTokens: v.optional(count, 512),
  overlong: v.optional(v.picklist(['cut', 'drop']), 'drop'),
  maxNewTokens: v.optional(count, 256),
  /** Held-out prompts that both models answer for the report; 0 for none. */
  answerRows: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 100),
  /** Rounds of the speed measurement; 0 for none. */
  speedRounds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 3),
  seed: v.optional(v.pipe(v.number(), v.integer()), 0),
  /** 'auto': the first one that starts and is not slower than the CPU. */
  provider: v.optional(v.picklist(PROVIDER_NAMES), 'cpu'),
  threads: v.optional(count),
  /** Bytes of memory that the job may take; models that do not fit are run in segments. Default: no limit. */
  memory: v.optional(count),
  /** Folder of the exported model. */
  output: v.optional(v.string()),
  exportMode: v.optional(v.picklist(['folded', 'explicit']), 'folded'),
});

export type SlimSettings = v.InferOutput<typeof slimSettingsSchema>;
export type SlimSettingsInput = v.InferInput<typeof slimSettingsSchema>;

export function trainingSettings(settings: SlimSettings): TrainingSettings {
  const { batchRows: _, ...training } = settings.training;
  const given = Object.entries(training).filter(([, value]) => value !== undefined);
  return { ...defaultTraining(settings.scales), ...Object.fromEntries(given) };
}

/** Rows of a batch of the final training. Many scales gain more from more steps than from smoother ones. */
export function trainingBatchRows({ training, batchRows, scales }: SlimSettings): number {
  return training.batchRows ?? (scales === 'scalar' ? batchRows : Math.max(1, batchRows >> 1));
}

/** Rows of a batch for strategies that look at a few rows at a time: two of 32. */
export function smallBatchRows({ batchRows }: Pick<SlimSettings, 'batchRows'>): number {
  return Math.min(batchRows, Math.max(2, batchRows >> 4));
}

export function blockKinds(settings: Pick<SlimSettings, 'blocks'>): BlockKind[] {
  return settings.blocks === 'both' ? ['attention', 'mlp'] : [settings.blocks];
}

/**
 * The part of the settings that decides what a calibration finds; where it runs and where the result goes is left
 * out, so that a run resumes with another number of threads or another output folder.
 */
export function decidingSettings(settings: SlimSettings): Record<string, unknown> {
  const {
    model: _m,
    dataset: _d,
    output: _o,
    exportMode: _e,
    speedRounds: _s,
    answerRows: _a,
    ...rest
  } = settings;
  const { threads: _t, provider: _p, memory: _l, ...deciding } = rest;
  return deciding;
}

/**
 * @param onChoice told in one sentence which provider it is and why, where another one than the CPU is asked for
 * @throws UserError if a provider that is asked for by name does not start
 */
export async function sessionOptions(
  settings: Pick<SlimSettings, 'provider' | 'threads'>,
  onChoice?: (reason: string) => void,
): Promise<SessionOptions> {
  const { provider, reason } = await chooseProvider(settings.provider);
  if (settings.provider !== 'cpu') onChoice?.(reason);
  return { provider, ...(settings.threads === undefined ? {} : { threads: settings.threads }) };
}

/**
 * Does work on the provider that the settings ask for; where that is 'auto' and the one that started fails, on the CPU.
 * @param onChoice as in `sessionOptions`; told of the CPU, too
 * @throws ProviderFailure if a provider that is asked for by name fails
 */
export async function withSession<T>(
  settings: Pick<SlimSettings, 'provider' | 'threads'>,
  work: (session: SessionOptions) => Promise<T>,
  onChoice?: (reason: string) => void,
): Promise<T> {
  const session = await sessionOptions(settings, onChoice);
  try {
    return await work(session);
  } catch (error) {
    if (settings.provider !== 'auto' || !(error instanceof ProviderFailure)) throw error;
    forgetAutomaticChoice();
    onChoice?.(`Goes on on the CPU: ${displayName(error.provider)} failed (${error.reason}).`);
    return await work({ ...session, provider: 'cpu' });
  }
}
