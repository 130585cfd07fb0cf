/** Runs: what was calibrated before. */
import * as v from 'valibot';
import { runDetails, runId, runSummary } from '../schema/runs.js';

const oneRun = v.object({ run: runId });

export const runRequests = {
  /** Newest first. */
  'runs.list': { input: v.undefined(), output: v.array(runSummary) },
  'runs.show': { input: oneRun, output: runDetails },
  /** Exported models stay. Answers with those that are left. */
  'runs.delete': { input: oneRun, output: v.array(runSummary) },
  'runs.rename': {
    input: v.object({ run: runId, title: v.pipe(v.string(), v.trim(), v.maxLength(200)) }),
    output: v.array(runSummary),
  },
  /** Opens the run's folder in the system's file manager. */
  'runs.reveal': { input: oneRun, output: v.undefined() },
} as const;

export const runEvents = {
  /** A run was added, changed its state or was deleted. */
  'runs.changed': v.array(runSummary),
} as const;
