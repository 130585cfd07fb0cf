/** Room on a disk. */
import { existsSync, statfsSync } from 'node:fs';
import path from 'node:path';

/** Bytes, or undefined where the system does not say. @param folder may be one that is yet to be made */
export function freeSpace(folder: string): number | undefined {
  let existing = folder;
  while (!existsSync(existing) && existing !== path.dirname(existing)) existing = path.dirname(existing);
  try {
    const { bavail, bsize } = statfsSync(existing);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
