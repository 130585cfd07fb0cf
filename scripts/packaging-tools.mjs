/**
 * Installs what packages the app, which needs a newer Node than the rest of the project, into a folder of its own,
 * packaging/, where that is not done yet.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const NEEDED = [22, 13];
const folder = path.join(import.meta.dirname, '../packaging');
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  process.stderr.write(
    `Packaging needs Node ${NEEDED.join('.')} or newer, because Electron Forge does; this is Node ${process.versions.node}. ` +
      'Everything else works with it.\n',
  );
  process.exit(2);
}
if (!isInstalled()) {
  const options = { cwd: folder, stdio: 'inherit', shell: process.platform === 'win32' };
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], options);
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** Whether what lies in packaging/node_modules was installed from today's lockfile. */
function isInstalled() {
  const installed = path.join(folder, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return false;
  const { packages } = JSON.parse(readFileSync(installed, 'utf8'));
  const wanted = JSON.parse(readFileSync(path.join(folder, 'package-lock.json'), 'utf8')).packages;
  // Of those that not every system takes, the ones that are named in the manifest and are for this one.
  const named = new Set(Object.keys(wanted[''].optionalDependencies).map((name) => `node_modules/${name}`));
  const isWanted = (place, { optional, os }) =>
    place !== '' && (!optional || (named.has(place) && (os?.includes(process.platform) ?? true)));
  return Object.entries(wanted).every(
    ([place, entry]) => !isWanted(place, entry) || packages[place]?.version === entry.version,
  );
}
