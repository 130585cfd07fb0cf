/** One process at a time works on a run: a file in its folder says which. */
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import { UserError } from '../../schema/errors.js';
import { forUsers } from '../../schema/plain-words.js';
import { isAlive, processStart } from '../runtime/processes.js';

const holderSchema = v.object({
  process: v.number(),
  host: v.string(),
  /** When the process began, where the system says: numbers of processes are used again. */
  began: v.optional(v.string()),
  /** ISO 8601. */
  since: v.string(),
});
type Holder = v.InferOutput<typeof holderSchema>;

/** Thrown where another process works on the run: nothing of it may be changed or deleted. */
export class RunHeldError extends UserError {}

/**
 * Takes the run for this process, also from one that is dead.
 * @param folder the run's
 * @returns gives it back
 * @throws RunHeldError that names the process which works on it
 */
export function lockRun(folder: string): () => void {
  const file = path.join(folder, 'lock.json');
  const own: Holder = {
    process: process.pid,
    host: os.hostname(),
    began: processStart(process.pid),
    since: new Date().toISOString(),
  };
  for (let attempt = 0; !tryWrite(file, own); attempt += 1) {
    requireFree(folder);
    if (attempt === 3)
      throw new RunHeldError(`Another process is just taking the run ${path.basename(folder)}; try again.`);
    // The name is another's own, so that two who find the same dead holder do not both go on.
    const aside = `${file}.${process.pid}`;
    try {
      renameSync(file, aside);
    } catch {
      continue;
    }
    rmSync(aside, { force: true });
  }
  return () => {
    if (holderOf(file)?.process === process.pid) rmSync(file, { force: true });
  };
}

/** @throws RunHeldError if another process works on the run */
export function requireFree(folder: string): void {
  const holder = holderOf(path.join(folder, 'lock.json'));
  if (holder === undefined || !holds(holder)) return;
  const { process: id, host, since } = holder;
  const where = host === os.hostname() ? '' : ` on ${host}`;
  throw new RunHeldError(
    `Another Hopscotch (process ${id}${where}) has been working on the run ${path.basename(folder)} since ${since.slice(0, 16).replace('T', ' ')} UTC; stop it there first.`,
  );
}

function holds({ process: id, host, began }: Holder): boolean {
  // Whether a process of another machine is alive cannot be asked.
  if (host !== os.hostname()) return true;
  return isAlive(id) && (began === undefined || began === processStart(id));
}

/** @returns false if the file is there */
function tryWrite(file: string, holder: Holder): boolean {
  let descriptor;
  try {
    descriptor = openSync(file, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw forUsers(error);
  }
  try {
    writeSync(descriptor, JSON.stringify(holder));
  } catch (error) {
    rmSync(file, { force: true });
    throw forUsers(error);
  } finally {
    closeSync(descriptor);
  }
  return true;
}

/** Undefined where there is no lock, or one that says nothing: its writer died while it wrote. */
function holderOf(file: string): Holder | undefined {
  try {
    const parsed = v.safeParse(holderSchema, JSON.parse(readFileSync(file, 'utf8')));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
