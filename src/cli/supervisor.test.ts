import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { temporaryFile, temporaryFolder } from '../../test/support/temporary-folder.js';
import { supervise } from './supervisor.js';

let said = '';
beforeEach(() => {
  said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal);
});

/** A program in a process of its own. */
function started(name: string, code: string): Promise<number> {
  return supervise(temporaryFile(name, code), []);
}

/** Code by which a program says that it is as far as that, and a wait for it, however long a process takes to start. */
function sign(): { code: string; given: () => Promise<void> } {
  const file = path.join(temporaryFolder(), 'ready');
  return {
    code: `(await import('node:fs')).writeFileSync(${JSON.stringify(file)}, '');`,
    given: async () => {
      await vi.waitFor(() => expect(existsSync(file)).toBe(true), { timeout: 20_000 });
      // What it sent before comes in the next turns of the loop.
      for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setTimeout(resolve, 20));
    },
  };
}

it.each(['SIGINT', 'SIGTERM'] as const)(
  'a program that listens to nothing is ended by %s, and the run that goes on is named',
  async (signal) => {
    const ready = sign();
    const ended = started(
      'hangs.mjs',
      `await new Promise((sent) => process.send({ run: 'mine' }, sent)); ${ready.code} for (;;);`,
    );
    await ready.given();
    process.emit(signal, signal);
    expect(await ended).toBe(130);
    expect(said).toContain("Stopped. Nothing is lost: 'hopscotch slim --resume mine' goes on from here.");
  },
);

it('a program that stops when it is asked to says so itself', async () => {
  const ready = sign();
  const ended = started('obeys.mjs', `process.on('message', () => process.exit(130)); ${ready.code}`);
  await ready.given();
  process.emit('SIGTERM', 'SIGTERM');
  expect(await ended).toBe(130);
  expect(said).not.toContain('Nothing is lost');
});

it('a program that ends by itself gives its code', async () => {
  expect(await started('ends.mjs', 'process.exit(2);')).toBe(2);
  expect(said).toBe('');
});

it('a program that is killed is told of in one sentence', async () => {
  expect(await started('dies.mjs', "process.kill(process.pid, 'SIGKILL');")).toBe(2);
  expect(said).toMatch(/ended from outside or ran out of memory \(SIGKILL\); .*\.\n$/);
});
