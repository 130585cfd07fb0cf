/** Requests about what was calibrated before. */
import path from 'node:path';
import { shell } from 'electron';
import { UserError } from '../../schema/errors.js';
import type { Handlers } from '../../shared/router.js';
import type { runRequests } from '../../shared/runs.js';
import type { Parts } from './parts.js';

export function runHandlers({ folders, desk, jobs, runs }: Parts): Handlers<keyof typeof runRequests> {
  return {
    'runs.list': async () => await runs.read(),
    'runs.show': async (asked) => {
      const details = await desk.ask('runs.show', asked);
      return { ...details, summary: runs.settle(details.summary) };
    },
    'runs.delete': async ({ run }) => {
      if (run === jobs.activeRun) throw new UserError('This run is going on; stop it first.');
      return runs.changed(await desk.ask('runs.delete', { run }));
    },
    'runs.rename': async (asked) => runs.changed(await desk.ask('runs.rename', asked)),
    'runs.reveal': async ({ run }) => {
      await shell.openPath(path.join(folders.runs, run));
    },
  };
}
