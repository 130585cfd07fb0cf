/** Runs Electron Forge, which needs a newer Node than the rest of the project: `npm run package`, `npm run make`. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
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
// npm leaves this one out without a word where the Node that installs is too old for it.
if (process.platform === 'linux' && process.argv[2] === 'make' && !isInstalled('electron-installer-debian')) {
  process.stderr.write('The maker of .deb files is not installed; run `npm ci` with this Node first.\n');
  process.exit(2);
}
const forge = path.resolve(import.meta.dirname, '../node_modules/@electron-forge/cli/dist/electron-forge.js');
const { status } = spawnSync(process.execPath, [forge, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;

function isInstalled(name) {
  return existsSync(path.resolve(import.meta.dirname, '../node_modules', name, 'package.json'));
}
