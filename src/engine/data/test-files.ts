/** Files and folders that this folder's tests use. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const repository = resolve(import.meta.dirname, '../../..');
export const sampleFolder = join(repository, 'assets/sample');
/** Models and data of others, beside the repository; tests that need them are skipped where it is missing. */
export const sharedFolder = resolve(repository, '../shared');

/** Writes a file of the given name in a new temporary folder and gives its path. */
export async function temporaryFile(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'hopscotch-data-')), name);
  await writeFile(path, content);
  return path;
}

/** Writes files into a new temporary folder and gives its path. */
export async function temporaryFolder(files: Record<string, unknown>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hopscotch-data-'));
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}
