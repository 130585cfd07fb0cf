/** What a run may have done already when it is started once more. */
import { existsSync } from 'node:fs';
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

/** Whether the output may be this run's own, of before it was interrupted; after the calibration it is looked at closely. */
export function mayBeExport({ settings: { output, dataset } }: Run, modelName: string): boolean {
  const record = output === undefined ? undefined : recordOf(path.resolve(output));
  return record?.original_model === modelName && record.task === path.parse(dataset).name;
}

/** Whether a run has anything that resuming it would use. */
export function hasProgress(run: Run, store: RunStore): boolean {
  return existsSync(store.checkpointFile(run));
}
