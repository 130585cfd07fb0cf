/** Runs that have nothing left to do. */
import path from 'node:path';
import type { RunReport } from '../../../schema/report.js';
import type { Run } from '../../../schema/runs.js';
import { recordOf } from '../../export/in-place.js';
import { keptReport } from '../../runs/run-details.js';
import type { RunStore } from '../../runs/run-store.js';

/** The report of a run that is finished and whose export is where it is to be; undefined for all others. */
export function finishedReport(run: Run, store: RunStore): RunReport | undefined {
  if (run.status !== 'finished') return undefined;
  const report = keptReport(store, run);
  const { output } = run.settings;
  const isWritten =
    output === undefined ||
    (report?.exported?.folder === path.resolve(output) && recordOf(path.resolve(output)) !== undefined);
  return report?.chosenPoint !== undefined && isWritten ? report : undefined;
}
