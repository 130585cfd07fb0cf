/** The hidden folder beside its place in which an export is written until it is complete. */
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../schema/errors.js';
import { fileReason } from '../../schema/plain-words.js';
import { isAlive } from '../runtime/processes.js';

const PARTIAL = /^\..*\.hopscotch-partial-(\d+)$/;

/** Longer than any name that an export puts into its folder, short enough for every disk. */
const KEPT_OF_NAME = 100;

/** @param output absolute path of the folder to be */
export function partialFolder(output: string): string {
  const name = Array.from(path.basename(output))
    .slice(0, KEPT_OF_NAME / 4)
    .join('');
  return path.join(path.dirname(output), `.${name}.hopscotch-partial-${process.pid}`);
}

/** Deletes what processes that were killed while they exported have left beside an output. */
export function clearPartialFolders(output: string): void {
  const parent = path.dirname(output);
  for (const name of namesIn(parent)) {
    const owner = PARTIAL.exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    rmSync(path.join(parent, name), { recursive: true, force: true });
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * Makes the folder and a file in it, and takes both away again.
 * @param output absolute path of the folder to be
 * @throws UserError if it cannot be made: permissions, names that are too long, a read-only disk
 */
export function requireWritable(output: string): void {
  let made: string | undefined;
  const partial = partialFolder(output);
  try {
    // What is there already is an empty folder, and stays.
    made = mkdirSync(output, { recursive: true });
    mkdirSync(partial, { recursive: true });
    // Not in the output: a process that is killed here leaves what the next clears away.
    writeFileSync(path.join(partial, 'trial'), 'may be deleted');
  } catch (error) {
    throw new UserError(
      `The folder ${output} cannot be written to: ${fileReason(error) ?? 'the system refuses it'}; choose another one.`,
      { cause: error },
    );
  } finally {
    if (existsSync(partial)) rmSync(partial, { recursive: true, force: true });
    if (made !== undefined) removeEmpty(output, made);
  }
}

/** Removes a folder and those above it, up to the first that was made, as far as they are empty. */
function removeEmpty(from: string, first: string): void {
  try {
    for (let folder = from; folder.length >= first.length; folder = path.dirname(folder)) rmdirSync(folder);
  } catch {
    // Something was put there meanwhile, or it was never made.
  }
}
