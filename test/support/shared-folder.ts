/** Test data that lives beside the repository; a user's clone does not have it. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url));
export const sampleFolder = path.join(repositoryRoot, 'assets', 'sample');

const shared = path.join(repositoryRoot, '..', 'shared');
export const hasShared = existsSync(path.join(shared, 'README.md'));

/** Goes into the title of tests that are skipped without it. */
export const sharedReason = hasShared
  ? ''
  : ' (skipped: ../shared, the folder of test models and data, is not there)';

export function sharedPath(...parts: string[]): string {
  return path.join(shared, ...parts);
}
