/** What a model of another format would become, before anything of it is converted. */
import path from 'node:path';
import type { ForeseenImport } from '../../schema/results.js';
import type { ModelChoice } from '../../schema/values.js';
import { planImport } from '../import/import-folder.js';
import { findImportable, openImportable } from '../import/sources/open-source.js';
import type { JobContext } from './context.js';
import { freeSpace } from './parts/free-space.js';
import { keptImports } from './parts/imported-model.js';

/**
 * @returns undefined where nothing has to be converted: for ONNX, for what was converted before, and for what is no model
 * @throws UserError if it is of another format and cannot be taken
 */
export function foreseeImport(
  { model }: ModelChoice,
  context: Pick<JobContext, 'store'>,
): ForeseenImport | undefined {
  const importable = findImportable(model);
  if (!importable) return undefined;
  const source = openImportable(importable);
  try {
    const kept = keptImports(context);
    const id = kept.idOf(source);
    if (kept.find(id)) return undefined;
    return {
      name: source.name,
      format: importable.kind,
      family: source.facts.family.name,
      layers: source.facts.layers,
      sourceBytes: source.bytes,
      bytes: planImport(source).bytes,
      folder: path.join(kept.folder, id),
      freeBytes: freeSpace(kept.folder),
    };
  } finally {
    source.close();
  }
}
