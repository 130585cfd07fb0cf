/** From quick to thorough: what each preset changes of the engine's defaults. */
import type { JobOptions } from './job-settings.js';

export const JOB_PRESETS: JobOptions['presets'] = [
  {
    name: 'quick',
    choices: {
      calibrationRows: 64,
      heldoutRows: 64,
      training: { epochs: 12 },
      answerRows: 32,
    },
  },
  { name: 'balanced', choices: {} },
  {
    name: 'thorough',
    choices: { calibrationRows: 1024, heldoutRows: 256, training: { epochs: 16 }, answerRows: 200 },
  },
];

/** What the first start chooses, so that the first click has a result within minutes. */
export const FIRST_JOB = JOB_PRESETS[0]!.choices;
