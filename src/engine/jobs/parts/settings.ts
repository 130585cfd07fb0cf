/** What follows from a job's settings. */
import * as v from 'valibot';
import type { BlockKind } from '../../../schema/blocks.js';
import { isCut } from '../../../schema/cuts.js';
import { UserError } from '../../../schema/errors.js';
import { granularity, jobSettings, type Granularity, type JobSettings } from '../../../schema/settings.js';
import { defaultTraining, rateForWidth, type TrainingSettings } from '../../calibrate/train/train-scales.js';
import { issueWords } from '../../../schema/plain-words.js';

/** @throws UserError that names the setting if one does not make sense */
export function checkedSettings(given: unknown): JobSettings {
  const result = v.safeParse(jobSettings, given);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new UserError(`The setting ${v.getDotPath(issue) ?? ''} is not valid: ${issueWords(issue)}.`);
}

/** The settings of a job that is told nothing but its model and its dataset. */
export function defaultSettings(): JobSettings {
  return checkedSettings({ model: '.', dataset: '.' });
}

/** What the final training does by default, by granularity of the scales. */
export function defaultTrainings(): Record<Granularity, Omit<TrainingSettings, 'granularity'>> {
  return Object.fromEntries(
    granularity.options.map((scales) => {
      const { granularity: _, ...settings } = defaultTraining(scales);
      return [scales, settings];
    }),
  ) as Record<Granularity, Omit<TrainingSettings, 'granularity'>>;
}

const FINE_BATCH_ROWS = 4;

/** @param hiddenSize of the model: the default rate depends on it */
export function trainingSettings(settings: JobSettings, hiddenSize: number): TrainingSettings {
  const { batchRows: _, ...training } = settings.training;
  const given = Object.entries(training).filter(([, value]) => value !== undefined);
  const usual = defaultTraining(settings.scales);
  const learningRate = usual.learningRate * rateForWidth(settings.scales, hiddenSize);
  return { ...usual, learningRate, ...Object.fromEntries(given) };
}

/** Rows of a batch of the final training: many scales gain more from more steps than from smoother ones. */
export function trainingBatchRows({ training, batchRows, scales }: JobSettings): number {
  return training.batchRows ?? (scales === 'scalar' ? batchRows : Math.min(batchRows, FINE_BATCH_ROWS));
}

/** Rows of a batch for strategies that look at a few rows at a time: two of 32. */
export function smallBatchRows({ batchRows }: Pick<JobSettings, 'batchRows'>): number {
  return Math.min(batchRows, Math.max(2, batchRows >> 4));
}

export function blockKinds({ kind }: Pick<JobSettings, 'kind'>): BlockKind[] {
  return kind === 'both' ? ['attention', 'mlp'] : [kind];
}

/**
 * The part of the settings that decides what a calibration finds; where it runs and where the result goes is left
 * out, so that a run resumes with another number of threads or another output folder.
 */
export function decidingSettings(settings: JobSettings): Record<string, unknown> {
  const {
    model: _m,
    dataset: _d,
    output: _o,
    exportMode: _e,
    speedRounds: _s,
    answerRows: _a,
    threads: _t,
    provider: _p,
    memory: _l,
    cuts,
    ...deciding
  } = settings;
  // Absent where there are none: runs of before there were any go on.
  return isCut({ cuts }) ? { ...deciding, cuts } : deciding;
}
