/** Runs Electron Forge with the tools of packaging/: `npm run package`, `npm run make`. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

import './packaging-tools.mjs';

const root = path.join(import.meta.dirname, '..');
const forge = path.join(root, 'packaging/node_modules/@electron-forge/cli/dist/electron-forge.js');
const { status, error } = spawnSync(process.execPath, [forge, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
if (error) throw error;
process.exit(status ?? 1);
