/** How a command learns that it is to stop: from its supervisor, which ends it if it does not. */
import { EXIT_CODES } from './exit-codes.js';
import { isSupervised, type FromWorker } from './supervisor.js';

/** Aborted once the command is to stop. A supervised process goes when its supervisor does. */
export function stopOnInterrupt(): AbortSignal {
  const controller = new AbortController();
  if (!isSupervised()) return controller.signal;
  // Signals reach all processes of a terminal; the supervisor sees to it that they have an effect.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort());
  process.on('message', (told) => {
    if (told === 'stop') controller.abort();
  });
  process.on('disconnect', () => process.exit(EXIT_CODES.stopped));
  process.channel?.unref();
  return controller.signal;
}

/** Tells the supervisor which run goes on if this process is ended. */
export function tellRun(run: string): void {
  if (isSupervised()) process.send!({ run } satisfies FromWorker);
}
