/** Files that are not what was meant to be downloaded: Git-LFS pointers, and files that end too early. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { UserError } from '../../../schema/errors.js';
import { tensorByteLength } from '../graph/tensor.js';
import { externalLocation, isExternal, resolveExternalPath } from './external-data.js';
import { initializersOf, type OnnxModel } from './model-file.js';

const POINTER = 'version https://git-lfs.github.com/spec/';

/** One sentence if a file's beginning is that of a Git-LFS pointer (a small text in place of the file). */
export function pointerProblem(beginning: string, file: string): string | undefined {
  if (!beginning.startsWith(POINTER)) return undefined;
  return `${file} is a Git-LFS pointer, a note of where the file lies, and not the file itself; run 'git lfs pull' in its folder, or download the file.`;
}

/** @throws UserError if the file is a Git-LFS pointer; what is not there or not readable is left to others */
export function refusePointer(file: string): void {
  const beginning = Buffer.alloc(POINTER.length);
  let descriptor: number;
  try {
    // Opening a pipe waits for somebody who writes.
    if (!statSync(file).isFile()) return;
    descriptor = openSync(file, 'r');
  } catch {
    return;
  }
  try {
    readSync(descriptor, beginning);
  } finally {
    closeSync(descriptor);
  }
  const problem = pointerProblem(beginning.toString('latin1'), file);
  if (problem !== undefined) throw new UserError(problem);
}

/**
 * Looks at the files with weights before anything is read from them.
 * @throws UserError if one is missing, a Git-LFS pointer, or too short for a weight
 */
export function requireWholeWeights({ graph, folder }: OnnxModel): void {
  if (folder === undefined) return;
  const sizes = new Map<string, number>();
  for (const tensor of initializersOf(graph).filter(isExternal)) {
    const { location, offset, length = tensorByteLength(tensor) } = externalLocation(tensor);
    let size = sizes.get(location);
    if (size === undefined) {
      const file = resolveExternalPath(folder, location, tensor.name);
      refusePointer(file);
      size = statSync(file).size;
      sizes.set(location, size);
    }
    if (offset + length <= size) continue;
    throw new UserError(
      `The weights file '${location}' ends before weight '${tensor.name}'; it was probably not downloaded completely.`,
    );
  }
}
