/** What the system says of other processes. */
import { readFileSync } from 'node:fs';

export function isAlive(id: number | undefined): boolean {
  if (id === undefined) return false;
  try {
    process.kill(id, 0);
    // One that has ended keeps its number until its parent has looked.
    return statusWords(id)?.[0] !== 'Z';
  } catch (error) {
    // A process of another user is alive, too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Tells a process from a later one of the same number; undefined where the system does not say (all but Linux). */
export function processStart(id: number): string | undefined {
  return statusWords(id)?.[19];
}

/** What Linux says of a process after its name: first its state, 19 words later when it started. */
function statusWords(id: number): string[] | undefined {
  try {
    const status = readFileSync(`/proc/${id}/stat`, 'latin1');
    // The name, in brackets, may hold spaces and brackets itself.
    return status.slice(status.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
