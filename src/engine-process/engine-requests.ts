/** The requests that the engine's process answers. */
import os from 'node:os';
import type { EngineRequest } from '../shared/engine-messages.js';
import type { Handlers } from '../shared/router.js';
import { askBoth } from './ask-both.js';
import { describeModel } from '../engine/jobs/describe-model.js';
import type { EngineContext } from './engine-context.js';
import { estimateJob } from '../engine/jobs/estimate.js';
import { previewExport, suggestTarget, writeExport } from '../engine/jobs/export-point.js';
import { heldoutAnswers } from '../engine/jobs/compare-heldout.js';
import { jobOptions, listProviders, slimSettings } from './job-options.js';
import type { JobRunner } from './job-runner.js';
import { measurePoint } from '../engine/jobs/measure-point.js';
import { ModelPairs } from './model-pair.js';
import { previewTask } from '../engine/jobs/preview-task.js';
import { listRuns, openRun, runDetails } from './run-details.js';
import { openRunPoint } from '../engine/jobs/parts/run-point.js';
import { Tickets } from './tickets.js';

export function engineHandlers(context: EngineContext, jobs: JobRunner): Handlers<EngineRequest> {
  const { store, models, folders } = context;
  const pairs = new ModelPairs(context);
  const tickets = new Tickets();
  return {
    'model.open': async (choice) => describeModel(choice, await models.open(choice), folders.sample),
    'task.open': async (asked) => {
      const { source } = await models.open(asked);
      return await previewTask(asked, source.folder);
    },
    'job.options': () => jobOptions(),
    'providers.list': () =>
      listProviders(os.cpus()[0]?.model.trim(), (message) => context.log('info', message)),
    'job.estimate': async (settings) =>
      await estimateJob(
        await models.open(settings),
        slimSettings(settings),
        context.startMeasureProcess !== undefined,
      ),
    'job.start': (settings) => jobs.start(settings),
    'job.resume': ({ run }) => jobs.resume(run),
    'job.stop': () => jobs.stop(),
    'compare.ask': (asked) =>
      tickets.runUrgent(asked.ticket, (signal) =>
        pairs.use(asked, (pair) => askBoth(context, pair, asked, signal)),
      ),
    'compare.stop': ({ ticket }) => tickets.stop(ticket),
    'compare.heldout': (asked) =>
      tickets.run(asked.ticket, async (signal, giveWay) => {
        const point = await openRunPoint(context, asked);
        return await heldoutAnswers(context, point, asked, pairs, { signal, giveWay });
      }),
    'compare.measure': (asked) =>
      tickets.run(asked.ticket, async (signal) =>
        measurePoint(context, await openRunPoint(context, asked), asked, signal),
      ),
    'export.suggest': (point) => suggestTarget(context, point),
    'export.preview': (target) => previewExport(context, target),
    'export.write': (target) => tickets.run('export', () => writeExport(context, target)),
    'runs.list': () => listRuns(store),
    'runs.show': ({ run }) => runDetails(store, run),
    'runs.delete': ({ run }) => {
      store.delete(openRun(store, run));
      return listRuns(store);
    },
    'runs.rename': ({ run: id, title }) => {
      store.update(openRun(store, id), { title: title === '' ? undefined : title });
      return listRuns(store);
    },
  };
}
