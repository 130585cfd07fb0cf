/** Holds one of the app's engine processes still: what it is asked stays unanswered for as long as a test looks. */
import { engineProcess, type EngineProcess, type RunningApp } from './launch.js';

/** Windows has no signal that stops a process. */
export const canFreeze = process.platform !== 'win32';
export const freezeReason = canFreeze ? '' : ' (skipped: Windows cannot hold a process still)';

/**
 * Runs `look` while the process stands still; it goes on afterwards, also where `look` fails.
 * @throws Error if there is no such process
 */
export async function whileFrozen(
  app: RunningApp,
  name: EngineProcess,
  look: (pid: number) => Promise<void>,
): Promise<void> {
  const pid = await engineProcess(app, name);
  if (pid === undefined) throw new Error(`The app has no process for ${name}.`);
  process.kill(pid, 'SIGSTOP');
  try {
    await look(pid);
  } finally {
    if (isAlive(pid)) process.kill(pid, 'SIGCONT');
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
