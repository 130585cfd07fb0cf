import { expect, test, vi } from 'vitest';
import { handledInstallerStart } from './squirrel-start.js';

test.each([
  ['win32', '--squirrel-install', true, '--createShortcut'],
  ['win32', '--squirrel-uninstall', true, '--removeShortcut'],
  ['win32', '--squirrel-obsolete', true, undefined],
  ['win32', '--squirrel-firstrun', false, undefined],
  ['win32', undefined, false, undefined],
  ['linux', '--squirrel-install', false, undefined],
])('on %s started with %s', (platform, argument, handled, option) => {
  const update = vi.fn<(...options: string[]) => void>();
  expect(handledInstallerStart(platform, argument, update)).toBe(handled);
  expect(update.mock.calls.map(([first]) => first)).toEqual(option === undefined ? [] : [option]);
});
