/** The requests that the engine's process answers: each becomes a job. */
import os from 'node:os';
import path from 'node:path';
import {
  checkedSettings,
  comparisonDetails,
  deleteComparison,
  estimate,
  exportPoint,
  listComparisons,
  listRuns,
  nameProblem,
  previewExport,
  previewTask,
  runDetails,
  suggestName,
  UserError,
  voteOn,
  writeReport,
} from '../engine/index.js';
import type { CheckedInput } from '../shared/contract.js';
import type { EngineRequest } from '../shared/engine-messages.js';
import type { Handlers } from '../shared/router.js';
import { ComparisonRunner } from './comparison-runner.js';
import { Comparisons } from './comparisons.js';
import type { EngineShell } from './engine-shell.js';
import { jobOptions, listProviders } from './job-options.js';
import type { JobRunner } from './job-runner.js';
import { ModelOpenings } from './model-openings.js';
import { Tickets } from './tickets.js';

export function engineHandlers(shell: EngineShell, runner: JobRunner): Handlers<EngineRequest> {
  const { start, jobs, log } = shell;
  const { store } = jobs;
  const tickets = new Tickets();
  const openings = new ModelOpenings(shell);
  const comparisons = new Comparisons(shell, tickets);
  const lists = new ComparisonRunner(shell);
  return {
    'model.look': (choice) => openings.look(choice),
    'model.open': (choice) => openings.open(choice),
    'model.stop': (choice) => openings.stop(choice),
    'task.open': (asked) => previewTask(asked, jobs),
    'job.options': () => jobOptions(),
    'providers.list': () => listProviders(os.cpus()[0]?.model.trim(), (message) => log('info', message)),
    'job.estimate': (settings) =>
      estimate({ settings: checkedSettings(settings), inElectron: jobs.startTiming !== undefined }, jobs),
    'job.start': (settings) => runner.start(checkedSettings(settings)),
    'job.resume': ({ run }) => runner.resume(run),
    'job.train': ({ run, blocks }) => runner.train(run, blocks),
    'job.stop': () => runner.stop(),
    'compare.ask': (asked) => comparisons.ask(asked),
    'compare.stop': ({ ticket }) => comparisons.stop(ticket),
    'compare.heldout': (asked) => comparisons.heldout(asked),
    'compare.measure': (asked) => comparisons.measure(asked),
    'comparisons.list': () => listComparisons(jobs),
    'comparisons.show': ({ id }) => comparisonDetails(id, jobs),
    'comparisons.start': (settings) => lists.start(settings),
    'comparisons.resume': ({ id }) => lists.resume(id),
    'comparisons.stop': () => lists.stop(),
    'comparisons.vote': ({ id, ...given }) => voteOn(id, given, jobs),
    'comparisons.delete': ({ id }) => {
      deleteComparison(id, jobs);
      return listComparisons(jobs);
    },
    'export.suggest': async (point) => ({
      parent: start.exportFolder,
      name: await suggestName({ ...point, parent: start.exportFolder }, jobs),
    }),
    'export.preview': async (target) => {
      const preview = await previewExport(exportRequest(target), jobs);
      return { ...preview, problem: nameProblem(target.name) ?? preview.problem };
    },
    'export.write': (target) =>
      tickets.run('export', async (signal) => {
        const problem = nameProblem(target.name);
        if (problem !== undefined) throw new UserError(problem);
        return await exportPoint(exportRequest(target), { ...jobs, signal });
      }),
    'report.write': (asked) =>
      tickets.run('report', (signal) => writeReport({ ...asked, overwrite: true }, { ...jobs, signal })),
    'runs.list': () => listRuns(store),
    'runs.show': ({ run }) => runDetails(store, run),
    'runs.delete': ({ run }) => {
      store.delete(store.openExactly(run));
      return listRuns(store);
    },
    'runs.rename': ({ run, title }) => {
      store.update(store.openExactly(run), { title: title === '' ? undefined : title });
      return listRuns(store);
    },
  };
}

function exportRequest({ parent, name, ...point }: CheckedInput<'export.preview'>) {
  return { ...point, folder: path.join(parent, name) };
}
