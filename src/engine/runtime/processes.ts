/** What the system says of other processes. */
import { readFileSync } from 'node:fs';

export function isAlive(id: number | undefined): boolean {
  if (id === undefined) return false;
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    // A process of another user is alive, too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Tells a process from a later one of the same number; undefined where the system does not say (all but Linux). */
export function processStart(id: number): string | undefined {
  try {
    const status = readFileSync(`/proc/${id}/stat`, 'latin1');
    // The name, in brackets, may hold spaces and brackets itself; the start is the 20th word after it.
    return status.slice(status.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
