/** Builds the app and tests it in Electron; where there is no screen, on a virtual one. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const environment = { ...process.env };
const run = (program, ...args) => {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit', env: environment });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
};

if (process.env.HOPSCOTCH_BUILT !== '1') run(process.execPath, 'scripts/build-app.mjs');
const vitest = [
  process.execPath,
  'node_modules/vitest/vitest.mjs',
  'run',
  '--config',
  'vitest.app.config.ts',
];
const needsScreen = process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY;
// Tests that press real keys do so on no screen that somebody else looks at.
if (needsScreen) environment.HOPSCOTCH_OWN_SCREEN = '1';
const command = [...(needsScreen ? ['xvfb-run', '-a', '-s', '-screen 0 1600x1000x24'] : []), ...vitest];
run(command[0], ...command.slice(1), ...process.argv.slice(2));
