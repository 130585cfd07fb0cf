/** Models of other formats, wherever a model is asked for: imported the first time, opened at once afterwards. */
import path from 'node:path';
import { UserError } from '../../../schema/errors.js';
import type { ModelChoice } from '../../../schema/values.js';
import { planImport, writeImport, type ImportPlan } from '../../import/import-folder.js';
import { KeptImports } from '../../import/kept-imports.js';
import { findImportable, openImportable } from '../../import/sources/open-source.js';
import { formatBytes } from '../../evaluate/figures.js';
import type { JobContext } from '../context.js';
import { freeSpace } from './free-space.js';
import { openModel, type SourceModel } from './source-model.js';
import { TimeLeft } from './time-left.js';

export type ImportContext = Pick<JobContext, 'store' | 'on' | 'signal' | 'giveWay'>;

/** Imported models lie beside the runs. */
export function keptImports({ store }: Pick<JobContext, 'store'>): KeptImports {
  return new KeptImports(path.join(path.dirname(store.folder), 'models'));
}

/**
 * The model as ONNX.
 * @throws UserError if it is of another format and cannot be taken, or if there is too little space; CancelledError if
 *   stopped meanwhile
 */
export async function onnxModel(choice: ModelChoice, context: ImportContext): Promise<ModelChoice> {
  const importable = findImportable(choice.model);
  if (!importable) return choice;
  const source = openImportable(importable);
  try {
    const kept = keptImports(context);
    const id = kept.idOf(source);
    const known = kept.find(id);
    if (known) return { model: known.folder };
    const plan = planImport(source);
    const { folder } = await kept.keep(id, source, (target) =>
      writeHeard(plan, target, context, path.join(kept.folder, id)),
    );
    return { model: folder };
  } finally {
    source.close();
  }
}

/** A model of any format, opened. @throws as onnxModel and openModel */
export async function openAnyModel(
  choice: ModelChoice,
  context: ImportContext,
  memory?: number,
): Promise<SourceModel> {
  const { model, modelFile } = await onnxModel(choice, context);
  return await openModel(model, modelFile, memory);
}

/**
 * Writes an import and tells how far it is.
 * @param finalFolder where the folder will be moved
 * @throws UserError if there is too little space, and as writeImport
 */
export async function writeHeard(
  plan: ImportPlan,
  folder: string,
  context: ImportContext,
  finalFolder = folder,
): Promise<void> {
  const { source, bytes } = plan;
  const free = freeSpace(path.dirname(folder));
  if (free !== undefined && bytes > free) {
    throw new UserError(
      `${source.place} becomes ${formatBytes(bytes)} as ONNX, but only ${formatBytes(free)} are free on the disk of ${path.dirname(folder)}; free some space.`,
    );
  }
  context.on({ type: 'stage', stage: 'importing the model' });
  context.on({ type: 'import', source: source.place, folder: finalFolder, bytes });
  const time = new TimeLeft();
  await writeImport(plan, folder, {
    signal: context.signal,
    giveWay: context.giveWay,
    onProgress: (done, total) =>
      context.on({ type: 'imported', done, total, secondsLeft: time.after('imported', done, total) }),
  });
}
