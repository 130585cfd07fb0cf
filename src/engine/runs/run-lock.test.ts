/** One process at a time works on a run. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { lockRun, requireFree, RunHeldError } from './run-lock.js';

let folder: string;
let file: string;
beforeEach(() => {
  folder = temporaryFolder();
  file = path.join(folder, 'lock.json');
});

/** The lock as if another process had written it. */
function held(by: object): void {
  lockRun(folder);
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...by }));
}

it('is held until it is given back', () => {
  const unlock = lockRun(folder);
  expect(() => lockRun(folder)).toThrow(RunHeldError);
  unlock();
  expect(existsSync(file)).toBe(false);
  lockRun(folder)();
});

it('names who holds it, in one sentence', async () => {
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  held({ process: other.pid, began: undefined });
  expect(() => lockRun(folder)).toThrow(
    new RegExp(
      `^Another Hopscotch \\(process ${other.pid}\\) has been working on the run .* since .* UTC; stop it there first\\.$`,
    ),
  );
  other.kill('SIGKILL');
  await once(other, 'exit');
  lockRun(folder)();
});

it.each<[string, object]>([
  ['that is dead', { process: 2 ** 30 }],
  ['whose number another process has now', { began: 'long ago' }],
])('is taken over from a process %s', (_, by) => {
  held(by);
  requireFree(folder);
  lockRun(folder)();
  expect(existsSync(file)).toBe(false);
});

it('is taken over where its file says nothing', () => {
  writeFileSync(file, '{"proc');
  lockRun(folder)();
});

it('of another machine is respected', () => {
  held({ host: 'elsewhere', process: 2 ** 30 });
  expect(() => requireFree(folder)).toThrow('on elsewhere');
});
