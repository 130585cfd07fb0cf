/** Runs Electron Forge, which needs a newer Node than the rest of the project: `npm run package`, `npm run make`. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const NEEDED = [22, 13];
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  process.stderr.write(
    `Packaging needs Node ${NEEDED.join('.')} or newer, because Electron Forge does; this is Node ${process.versions.node}. ` +
      'Everything else works with it.\n',
  );
  process.exit(2);
}
const forge = path.resolve(import.meta.dirname, '../node_modules/@electron-forge/cli/dist/electron-forge.js');
const { status } = spawnSync(process.execPath, [forge, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;
