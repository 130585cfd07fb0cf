import type { ForeseenImport } from '../../../schema/results.js';

/** Whether the converted model fits on the disk, as far as that is known. */
export function hasRoom({ freeBytes, bytes }: ForeseenImport): boolean {
  return freeBytes === undefined || freeBytes >= bytes;
}
