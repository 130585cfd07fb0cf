/** Nothing leaves the machine, and nothing is written that nobody asked for: onnxruntime reports to its maker by default. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/shared-folder.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** onnxruntime's own reports begin with its first session, and take about three seconds to their first look-up. */
const SECONDS = '8';

const strace = (() => {
  try {
    return execFileSync('sh', ['-c', 'command -v strace'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
})();

describe('a process that runs models', () => {
  const home = temporaryFolder();
  const log = path.join(temporaryFolder(), 'calls');
  let answered: string;

  beforeAll(() => {
    const program = [
      process.execPath,
      path.join(repositoryRoot, 'test/runtimes/offline-process.mjs'),
      path.join(repositoryRoot, 'assets/sample'),
      temporaryFolder(),
      SECONDS,
    ];
    const traced = strace ? [strace, '-f', '-e', 'trace=connect,sendto', '-o', log, ...program] : program;
    const { ORT_DISABLE_TELEMETRY: _, XDG_CACHE_HOME: _cache, ...environment } = process.env;
    answered = execFileSync(traced[0]!, traced.slice(1), {
      env: { ...environment, HOME: home, USERPROFILE: home },
      encoding: 'utf8',
    });
  });

  it('writes nothing into the home folder', () => {
    expect(Number(answered)).toBe(4);
    expect(readdirSync(home, { recursive: true })).toEqual([]);
  });

  it.skipIf(!strace)(
    `looks up no host and connects to none${strace ? '' : ' (skipped: no strace here to watch it)'}`,
    () => {
      const calls = readFileSync(log, 'utf8').split('\n');
      expect(calls.filter((call) => /AF_INET|nscd/.test(call))).toEqual([]);
    },
  );
});
