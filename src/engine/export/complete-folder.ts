/** A model's folder that is there complete, or not at all. */
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../schema/errors.js';
import { fileReason } from '../../schema/plain-words.js';
import { clearPartialFolders, partialFolder } from './partial-folder.js';

/**
 * @param output the folder to make; must not exist, or be empty
 * @param source folder of the model that it is made of
 * @param write fills a folder beside it, which is renamed when that is done
 * @throws UserError if the output exists, lies in the source or cannot be written; nothing is left behind then, nor if
 *   `write` fails
 */
export async function writeCompleteFolder<Result>(
  output: string,
  source: string,
  write: (folder: string) => Promise<Result>,
): Promise<Result> {
  const full = path.resolve(output);
  requireFreeOutput(full, source);
  clearPartialFolders(full);
  const partial = partialFolder(full);
  try {
    const result = await write(partial);
    rmSync(full, { recursive: true, force: true });
    renameSync(partial, full);
    return result;
  } catch (error) {
    if (existsSync(partial)) rmSync(partial, { recursive: true, force: true });
    const reason = fileReason(error);
    if (reason !== undefined) {
      throw new UserError(
        `The model could not be written to ${full}: ${reason}. Nothing was left behind; free some space or choose another folder.`,
        { cause: error },
      );
    }
    throw error;
  }
}

/**
 * Asked before hours are spent on a calibration, and again before anything is written.
 * @throws UserError if the folder exists and is not empty, or is the source's
 */
export function requireFreeOutput(folder: string, source: string): void {
  const problem = outputProblem(path.resolve(folder), path.resolve(source));
  if (problem !== undefined) throw new UserError(problem);
}

/** Why a model cannot be written to a folder, in one sentence; undefined if it can. @param output absolute, as source */
export function outputProblem(output: string, source: string): string | undefined {
  const inside = (inner: string, outer: string) => inner === outer || inner.startsWith(outer + path.sep);
  if (inside(output, source) || inside(source, output)) {
    return `The output folder ${output} is the source model's own or holds it; choose another, the source is never changed.`;
  }
  const there = existsSync(output) ? statSync(output) : undefined;
  if (there && (!there.isDirectory() || readdirSync(output).length > 0)) {
    return `${output} exists already and is not an empty folder; choose another name or delete it.`;
  }
  return undefined;
}
