import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { temporaryFile } from '../../test/support/temporary-folder.js';
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

/** A program in a process of its own; `ready` once it has told its run. */
function started(name: string, code: string): Promise<number> {
  return supervise(temporaryFile(name, code), []);
}

const untilStopping = () =>
  vi.waitFor(() => process.listenerCount('SIGTERM') > 0 || Promise.reject(new Error()));

it.each(['SIGINT', 'SIGTERM'] as const)(
  'a program that listens to nothing is ended by %s, and the run that goes on is named',
  async (signal) => {
    const ended = started('hangs.mjs', "process.send({ run: 'mine' }, () => { for (;;); });");
    await untilStopping();
    await new Promise((resolve) => setTimeout(resolve, 500));
    process.emit(signal, signal);
    expect(await ended).toBe(130);
    expect(said).toContain("Stopped. Nothing is lost: 'hopscotch slim --resume mine' goes on from here.");
  },
);

it('a program that stops when it is asked to says so itself', async () => {
  const ended = started('obeys.mjs', "process.on('message', () => process.exit(130));");
  await new Promise((resolve) => setTimeout(resolve, 500));
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
