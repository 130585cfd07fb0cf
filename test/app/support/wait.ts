/** Waiting for the app. */
import type { JobState } from '../../../src/shared/job.js';
import type { RunningApp } from './launch.js';

/**
 * Asks for the job's state until it is as wanted.
 * @throws Error if it does not become so in time, with the state it is in
 */
export async function waitForJob(
  app: RunningApp,
  isWanted: (state: JobState) => boolean,
  timeout = 180_000,
): Promise<JobState> {
  const end = Date.now() + timeout;
  for (;;) {
    const state = await app.ask('job.state');
    if (isWanted(state)) return state;
    if (Date.now() > end) throw new Error(`The job is still ${JSON.stringify(state).slice(0, 500)}`);
    await app.page.waitForTimeout(100);
  }
}

/** Candidates and epochs that are finished and kept. */
export function finishedWork(state: Pick<JobState, 'rounds' | 'training'>): number {
  const tried = state.rounds.map((round) => Object.keys(round.losses).length);
  const epochs = Object.values(state.training).map((each) => each.length);
  return [...tried, ...epochs].reduce((sum, count) => sum + count, 0);
}
