/** Models of other formats than ONNX, imported. */
import { planImport, writeImport } from '../../src/engine/import/import-folder.js';
import { findImportable, openImportable } from '../../src/engine/import/sources/open-source.js';
import { temporaryFolder } from './temporary-folder.js';

/** A temporary folder with what is imported of a GGUF file or a safetensors folder. */
export async function importModel(location: string): Promise<string> {
  const folder = temporaryFolder();
  const source = openImportable(findImportable(location)!);
  try {
    await writeImport(planImport(source), folder);
  } finally {
    source.close();
  }
  return folder;
}
