/** One cut of each kind, from the settings that ask for it to a folder and a sentence. */
import { UserError } from '../../../schema/errors.js';
import type { CutKind } from '../../../schema/cuts.js';
import type { JobSettings } from '../../../schema/settings.js';
import type { RunOptions } from '../../runtime/session.js';
import type { SourceModel } from './source-model.js';
import type { PreparedTask } from './task.js';

export interface CutTask {
  before: SourceModel;
  /** The folder to make. */
  folder: string;
  settings: JobSettings;
  /** Absent for the vocabulary, which is cut before rows are encoded. */
  task: PreparedTask | undefined;
  runOptions: RunOptions;
  signal: AbortSignal | undefined;
  onProgress(done: number, total: number): void;
}

/**
 * @returns what was done, in one sentence
 * @throws UserError if the model cannot be cut so; CancelledError if stopped
 */
export async function makeCut(kind: CutKind, task: CutTask): Promise<string> {
  throw new UserError(`The cut '${kind}' of ${task.before.name} is not available.`);
}
