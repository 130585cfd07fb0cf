/**
 * Checks main and preload against the types of the Electron that the tests run in, beside those of the current one:
 * nothing may be used that only one of them has.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';

const VERSION = '33.2.1';
const root = path.resolve(import.meta.dirname, '..');
const folder = path.join(root, '.cache/electron-33');

if (!existsSync(path.join(folder, 'electron.d.ts'))) {
  mkdirSync(folder, { recursive: true });
  const packed = execFileSync(
    'npm',
    ['pack', `electron@${VERSION}`, '--silent', '--pack-destination', folder],
    {
      encoding: 'utf8',
      shell: process.platform === 'win32',
    },
  );
  const archive = packed.trim().split('\n').at(-1);
  execFileSync('tar', ['xzf', archive, '--strip-components=1', 'package/electron.d.ts'], { cwd: folder });
}
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.electron-33.json'], {
  cwd: root,
  stdio: 'inherit',
});
