/** From quick to thorough: what each preset changes of the engine's defaults. */
import type { JobOptions } from './job-settings.js';

export const JOB_PRESETS: JobOptions['presets'] = [
  {
    name: 'quick',
    choices: {
      calibrationTokens: 4000,
      heldoutTokens: 3000,
      // The sample is small enough for a whole curve.
      trainPoints: 'all',
      training: { epochs: 8 },
      answerRows: 32,
    },
  },
  { name: 'balanced', choices: {} },
  {
    name: 'thorough',
    choices: { calibrationTokens: 48_000, heldoutTokens: 24_000, answerRows: 200 },
  },
];

/** What the first start chooses, so that the first click has a result within minutes. */
export const FIRST_JOB = JOB_PRESETS[0]!.choices;
