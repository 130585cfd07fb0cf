/** Running code that was not written by us for a limited time. */
import { createContext, Script } from 'node:vm';

const script = new Script('run()');
const context = createContext({ run: undefined as (() => unknown) | undefined });

/**
 * What `run` returns. node:vm is here for its watchdog, which also stops code of ours that it calls; it isolates
 * nothing.
 * @throws Error if it takes longer than the given milliseconds
 */
export function runWithin<Result>(milliseconds: number, run: () => Result): Result {
  context['run'] = run;
  try {
    return script.runInContext(context, { timeout: milliseconds }) as Result;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new Error(`it did not end within ${Math.round(milliseconds / 100) / 10} seconds`, { cause: error });
  } finally {
    context['run'] = undefined;
  }
}
