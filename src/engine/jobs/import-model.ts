/** A model of another format (GGUF, safetensors) written as a folder with an ONNX file. */
import path from 'node:path';
import { UserError } from '../../schema/errors.js';
import { requireFreeOutput, writeCompleteFolder } from '../export/complete-folder.js';
import { planImport } from '../import/import-folder.js';
import { findImportable, openImportable } from '../import/sources/open-source.js';
import type { JobContext } from './context.js';
import { writeHeard } from './parts/imported-model.js';
import { writtenFiles } from './parts/model-files.js';

export interface ImportRequest {
  /** A .gguf file (of a split model any part), or a folder with safetensors files. */
  model: string;
  /** The folder to write; must not exist yet, or be empty. */
  folder: string;
}

export interface ImportResult {
  folder: string;
  /** The family's name, for people. */
  family: string;
  layers: number;
  /** Of the files that the weights were in, and of all that was written. */
  sourceBytes: number;
  bytes: number;
}

/**
 * @throws UserError if the model is of a kind that cannot be taken or damaged, or the folder is not free; CancelledError if
 *   stopped. Nothing is left behind then
 */
export async function importModel(request: ImportRequest, context: JobContext): Promise<ImportResult> {
  const importable = findImportable(request.model);
  if (!importable) {
    throw new UserError(
      `There is no model to import at ${request.model}; name a .gguf file or a folder with config.json and safetensors files.`,
    );
  }
  const folder = path.resolve(request.folder);
  const source = openImportable(importable);
  try {
    requireFreeOutput(folder, importable.path);
    const plan = planImport(source);
    await writeCompleteFolder(folder, importable.path, (partial) =>
      writeHeard(plan, partial, context, folder),
    );
    const { facts, bytes: sourceBytes } = source;
    const bytes = writtenFiles(folder, []).reduce((sum, file) => sum + file.bytes, 0);
    return { folder, family: facts.family.name, layers: facts.layers, sourceBytes, bytes };
  } finally {
    source.close();
  }
}
