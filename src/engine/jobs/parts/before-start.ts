/** All that can be known before a job computes anything, so that nothing is found after an evening's work. */
import path from 'node:path';
import { askedCuts } from '../../../schema/cuts.js';
import { ImpossibleError, UserError } from '../../../schema/errors.js';
import type { JobSettings } from '../../../schema/settings.js';
import { formatBytes } from '../../evaluate/figures.js';
import { requireCompanions } from '../../export/companions.js';
import { requireFreeOutput } from '../../export/complete-folder.js';
import { requireWritable } from '../../export/partial-folder.js';
import { budgetInBlocks } from './budget.js';
import { cutProblem } from './cuts.js';
import { freeSpace } from './free-space.js';
import { plannedFiles } from './model-files.js';
import type { SourceModel } from './source-model.js';

/**
 * @param scratch folder in which the export is tried, and that will hold the run's files
 * @param isInPlace whether the output is this run's own export already
 * @throws UserError in one sentence for whatever would stop the job later
 */
export function requirePossible(
  model: SourceModel,
  settings: JobSettings,
  scratch: string,
  isInPlace = false,
): void {
  budgetInBlocks(model.decoder, settings);
  requireCompanions(model.source.folder);
  const { output, cuts } = settings;
  const kinds = askedCuts(cuts);
  for (const kind of kinds) {
    const problem = cutProblem(kind, model, cuts);
    if (problem !== undefined) throw new ImpossibleError(problem);
  }
  const bytes = plannedFiles(model, []).reduce((sum, file) => sum + file.bytes, 0);
  // A trial export; later the cut models: the one that others are held against, and two while one is made of the other.
  requireSpace(scratch, bytes * Math.max(1, Math.min(3, kinds.length)));
  if (output === undefined || isInPlace) return;
  requireExportable(model, output, bytes);
}

/** @throws UserError if the model cannot be written to the folder */
export function requireExportable(model: SourceModel, output: string, bytes: number): void {
  requireFreeOutput(output, model.source.folder);
  const full = path.resolve(output);
  requireWritable(full);
  requireSpace(path.dirname(full), bytes);
}

function requireSpace(folder: string, bytes: number): void {
  const free = freeSpace(folder);
  if (free === undefined || free >= bytes) return;
  throw new UserError(
    `The disk of ${folder} has ${formatBytes(free)} left, and the job writes up to ${formatBytes(bytes)} there; free some space or choose another folder.`,
  );
}
