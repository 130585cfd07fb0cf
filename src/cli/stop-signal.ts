/** Ctrl-C: the first asks the job to stop cleanly, the second ends the process at once. */
import { EXIT_CODES } from './exit-codes.js';

export function stopOnInterrupt(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(EXIT_CODES.stopped);
    process.stderr.write('\nStopping after the current step; press Ctrl-C again to stop at once.\n');
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}
