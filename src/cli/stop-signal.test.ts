import { afterEach, expect, it, vi } from 'vitest';
import { stopOnInterrupt } from './stop-signal.js';

afterEach(() => void vi.restoreAllMocks());

/** Starts listening; gives what happens at a signal of the system, by its name. */
function listening() {
  const handlers = new Map<string | symbol, () => void>();
  vi.spyOn(process, 'on').mockImplementation((name, handler) => {
    handlers.set(name, handler as () => void);
    return process;
  });
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  return { signal: stopOnInterrupt(), handlers, exit, write };
}

it.each(['SIGINT', 'SIGTERM'])('the first %s asks the job to stop and says how to stop at once', (name) => {
  const { signal, handlers, exit, write } = listening();
  expect(signal.aborted).toBe(false);
  handlers.get(name)!();
  expect(signal.aborted).toBe(true);
  expect(exit).not.toHaveBeenCalled();
  expect(write).toHaveBeenCalledExactlyOnceWith(
    expect.stringContaining('press Ctrl-C again to stop at once'),
  );
});

it('the second ends the process as stopped', () => {
  const { handlers, exit } = listening();
  handlers.get('SIGINT')!();
  handlers.get('SIGTERM')!();
  expect(exit).toHaveBeenCalledExactlyOnceWith(130);
});
