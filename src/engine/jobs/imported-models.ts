/** The models that were imported to be opened, beside the runs. */
import type { KeptImport } from '../import/kept-imports.js';
import type { JobContext } from './context.js';
import { keptImports } from './parts/imported-model.js';

export type { KeptImport };

/** By name, with the folder that holds them. */
export function listImported(
  _request: undefined,
  context: Pick<JobContext, 'store'>,
): { folder: string; models: KeptImport[] } {
  const kept = keptImports(context);
  return { folder: kept.folder, models: kept.list() };
}

/**
 * @param request an id, its beginning, or a name
 * @returns what was deleted
 * @throws UserError if it is none or several
 */
export function deleteImported(request: { model: string }, context: Pick<JobContext, 'store'>): KeptImport {
  const kept = keptImports(context);
  const found = kept.open(request.model);
  kept.delete(found);
  return found;
}
