/** A calibration's state on disk. */
import { existsSync, readFileSync } from 'node:fs';
import * as v from 'valibot';
import { UserError } from '../../schema/errors.js';
import {
  checkpointState,
  emptyState,
  type Checkpoint,
  type CheckpointState,
} from '../calibrate/checkpoint.js';
import { packNumbers } from '../calibrate/packed-numbers.js';
import { writeFileAtomically } from './atomic-file.js';

/**
 * Opens the file, or starts afresh if there is none.
 * @throws UserError if the file is damaged or belongs to a run with other settings, model or data
 */
export function openCheckpoint(file: string, fingerprint: string): Checkpoint {
  const state = existsSync(file) ? readCheckpoint(file) : emptyState(fingerprint);
  if (state.fingerprint !== fingerprint) {
    throw new UserError(
      `The checkpoint ${file} was made with other settings, another model or other data; start a new run, or resume with the same.`,
    );
  }
  return { state, save: () => writeFileAtomically(file, JSON.stringify(state, packNumbers)) };
}

/** @throws UserError if the file is not a readable checkpoint */
export function readCheckpoint(file: string): CheckpointState {
  let data: unknown;
  try {
    data = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new UserError(`The checkpoint ${file} is not readable; delete the run and start it again.`);
  }
  if (!v.is(v.object({ version: checkpointState.entries.version }), data)) {
    throw new UserError(
      `The checkpoint ${file} is of another version of Hopscotch; start the run again, or go on with that version.`,
    );
  }
  const result = v.safeParse(checkpointState, data);
  if (!result.success) {
    throw new UserError(`The checkpoint ${file} is damaged; start the run again.`);
  }
  return result.output;
}
