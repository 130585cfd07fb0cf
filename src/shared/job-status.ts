/** Which states of a job mean that it is still at work. */
import type { JobStatus } from './job.js';

const BUSY: ReadonlySet<JobStatus> = new Set(['starting', 'running', 'stopping']);

export function isBusy(status: JobStatus): boolean {
  return BUSY.has(status);
}
