/** How a run stands that did not come to its end. */
import { CancelledError, ImpossibleError, UserError } from '../../../schema/errors.js';
import type { Run } from '../../../schema/runs.js';

export function endedBy(error: unknown): Pick<Run, 'status' | 'error'> {
  if (error instanceof CancelledError) return { status: 'stopped', error: undefined };
  return {
    status: error instanceof ImpossibleError ? 'impossible' : 'failed',
    error: error instanceof UserError ? error.message : undefined,
  };
}
