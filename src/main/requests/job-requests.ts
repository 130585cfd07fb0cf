/** Requests of steps 3 and 4: what a job may be told and will take, and the job itself. */
import type { budgetRequests } from '../../shared/job-settings.js';
import type { jobRequests } from '../../shared/job.js';
import type { Handlers } from '../../shared/router.js';
import type { RunSummary } from '../../schema/runs.js';
import type { AppStore } from '../store.js';
import type { Parts } from './parts.js';
import { passOn } from './pass-on.js';

export function jobHandlers({
  store,
  desk,
  jobs,
  estimates,
}: Parts): Handlers<keyof typeof budgetRequests | keyof typeof jobRequests> {
  return {
    ...passOn(desk, 'job.options', 'providers.list'),
    'job.estimate': (settings) => estimates.ask(settings),
    'job.stopEstimate': () => estimates.stop(),
    'job.start': async (settings) => {
      estimates.stop();
      return remembered(store, await jobs.start(settings));
    },
    'job.resume': async ({ run }) => {
      estimates.stop();
      return remembered(store, await jobs.resume(run));
    },
    'job.train': async ({ run, blocks }) => {
      estimates.stop();
      return await jobs.train(run, blocks);
    },
    'job.stop': () => jobs.stop(),
    'job.state': () => jobs.state,
  };
}

/** The run that was started last is the one that the next start of the app shows. */
function remembered(store: AppStore, run: RunSummary): RunSummary {
  const { run: before, point } = store.workspace;
  store.changeWorkspace({ run: run.id, point: before === run.id ? point : undefined });
  return run;
}
