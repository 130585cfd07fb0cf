/** What a finished (or unfinished) run has measured, on disk. */
import { existsSync, readFileSync } from 'node:fs';
import * as v from 'valibot';
import { UserError } from '../../schema/errors.js';
import { runReport, type RunReport } from '../../schema/report.js';
import { writeFileAtomically } from './atomic-file.js';

export function saveReport(file: string, report: RunReport): void {
  writeFileAtomically(file, JSON.stringify(report, undefined, 2));
}

/** @throws UserError if the run has no report yet or it cannot be read */
export function readReport(file: string): RunReport {
  if (!existsSync(file))
    throw new UserError('The run has measured no point of its curve yet; resume it to let it go on.', {
      inCommands: 'hopscotch slim --resume',
    });
  try {
    return v.parse(runReport, JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    throw new UserError(`The report ${file} cannot be read; resume the run to make it again.`);
  }
}
