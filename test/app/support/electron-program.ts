/** The Electron that the tests run the app in. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const projectRoot = path.resolve(import.meta.dirname, '../../..');

/**
 * In this order: HOPSCOTCH_ELECTRON, what scripts/prepare-electron.sh made, and the electron package's own download.
 * @returns undefined if there is none
 */
export function electronProgram(): string | undefined {
  const fromScript = path.join(projectRoot, '.cache/electron/electron');
  const candidates = [process.env.HOPSCOTCH_ELECTRON, fromScript, downloaded()];
  return candidates.find((file) => file !== undefined && existsSync(file));
}

/** Without asking the package itself, which would start a download. */
function downloaded(): string | undefined {
  const folder = path.join(projectRoot, 'node_modules/electron');
  const name = path.join(folder, 'path.txt');
  return existsSync(name) ? path.join(folder, 'dist', readFileSync(name, 'utf8').trim()) : undefined;
}

const NO_ELECTRON =
  'there is no Electron here: run scripts/prepare-electron.sh, or set HOPSCOTCH_ELECTRON to its program';

/** Goes into the title of tests that are skipped without Electron. */
export const electronReason = electronProgram() ? '' : ` (skipped: ${NO_ELECTRON})`;
