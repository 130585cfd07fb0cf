/** Requests of the steps: dialogs and memory are main's part, the rest is passed on to the engine. */
import type { RunSummary } from '../../schema/runs.js';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { shell, type BrowserWindow } from 'electron';
import { FORMAT_OF_EXTENSION } from '../../schema/columns.js';
import { UserError } from '../../schema/errors.js';
import type { Bridge, CheckedInput, RequestOutput } from '../../shared/contract.js';
import type { KnownModel } from '../../shared/model.js';
import { cachedModels } from '../cached-models.js';
import type { EngineHost } from '../engine-host/engine-host.js';
import type { EngineRequest } from '../../shared/engine-messages.js';
import { huggingFaceCache, sampleTasks, type Folders } from '../folders.js';
import type { Emit, JobTracker } from '../job-tracker.js';
import { savePastedPrompts } from '../pasted-prompts.js';
import type { Handlers } from '../../shared/router.js';
import type { AppStore } from '../store.js';
import { TEXTS } from '../texts.js';
import { choosePath } from './app-requests.js';

export interface StepContext {
  store: AppStore;
  folders: Folders;
  engine: EngineHost;
  jobs: JobTracker;
  emit: Emit;
  window: () => BrowserWindow | undefined;
}

type StepRequest = Exclude<
  Parameters<Bridge['request']>[0],
  `app.${string}` | `settings.${string}` | `workspace.${string}`
>;

export function stepHandlers(context: StepContext): Handlers<StepRequest> {
  const { engine, jobs } = context;
  const pass =
    <N extends EngineRequest>(name: N) =>
    (input: CheckedInput<N>): Promise<RequestOutput<N>> =>
      engine.ask(name, input);
  return {
    ...modelHandlers(context),
    ...taskHandlers(context),
    ...runHandlers(context),
    'job.options': pass('job.options'),
    'providers.list': pass('providers.list'),
    'job.estimate': pass('job.estimate'),
    'job.start': async (settings) => remembered(context, await jobs.start(settings)),
    'job.resume': async ({ run }) => remembered(context, await jobs.resume(run)),
    'job.stop': () => jobs.stop('stopped'),
    'job.pause': () => jobs.stop('paused'),
    'job.state': () => jobs.state,
    'compare.ask': pass('compare.ask'),
    'compare.stop': pass('compare.stop'),
    'compare.heldout': pass('compare.heldout'),
    'compare.measure': pass('compare.measure'),
    ...exportHandlers(context),
  };
}

/** The run that was started last is the one that the next start of the app shows. */
function remembered({ store }: StepContext, run: RunSummary): RunSummary {
  const { run: before, point } = store.workspace;
  store.changeWorkspace({ run: run.id, point: before === run.id ? point : undefined });
  return run;
}

function modelHandlers({ store, folders, engine, window }: StepContext) {
  const recent = (): KnownModel[] => {
    const used = store.recentModels.map((model) => ({
      ...model,
      exists: existsSync(model.model),
      isSample: path.resolve(model.model) === path.resolve(folders.sample),
    }));
    if (used.some((model) => model.isSample)) return used;
    return [
      ...used,
      { model: folders.sample, name: path.basename(folders.sample), exists: true, isSample: true },
    ];
  };
  return {
    'model.choose': async ({ what }) =>
      await choosePath(
        window(),
        what === 'folder'
          ? { title: TEXTS.dialogs.modelFolder, properties: ['openDirectory'] }
          : {
              title: TEXTS.dialogs.modelFile,
              properties: ['openFile'],
              filters: [{ name: TEXTS.dialogs.onnxFiles, extensions: ['onnx'] }],
            },
      ),
    'model.open': async (choice) => {
      const description = await engine.ask('model.open', choice);
      const { model, modelFile, name, family, fileBytes } = description;
      store.addRecentModel({
        model,
        name,
        bytes: fileBytes,
        ...(modelFile === undefined ? {} : { modelFile }),
        ...(family === undefined ? {} : { family }),
      });
      return description;
    },
    'model.recent': recent,
    'model.forget': (choice) => {
      store.forgetModel(choice);
      return recent();
    },
    'model.found': () => cachedModels(store.settings.huggingFaceCache ?? huggingFaceCache()),
  } satisfies Partial<Handlers>;
}

function taskHandlers({ store, folders, engine, window }: StepContext) {
  return {
    'task.choose': async () =>
      await choosePath(window(), {
        title: TEXTS.dialogs.dataset,
        properties: ['openFile'],
        filters: [
          {
            name: TEXTS.dialogs.datasets,
            extensions: [...FORMAT_OF_EXTENSION.keys()].map((extension) => extension.slice(1)),
          },
          { name: TEXTS.dialogs.allFiles, extensions: ['*'] },
        ],
      }),
    'task.paste': ({ text }) => savePastedPrompts(folders.pasted, text),
    'task.open': async (asked) => {
      const preview = await engine.ask('task.open', asked);
      store.addRecentTask(asked.dataset);
      return preview;
    },
    'task.recent': () => {
      const samples = sampleTasks(folders.sample).map((task) => task.path);
      const others = samples.filter((sample) => !store.recentTasks.includes(sample));
      return [...store.recentTasks, ...others].map((dataset) => ({
        dataset,
        name: path.parse(dataset).name,
        exists: existsSync(dataset),
        isSample: samples.includes(dataset),
      }));
    },
  } satisfies Partial<Handlers>;
}

function exportHandlers({ store, engine, emit, jobs, window }: StepContext) {
  return {
    'export.suggest': async (point) => {
      const suggested = await engine.ask('export.suggest', point);
      return { ...suggested, parent: store.settings.exportFolder ?? suggested.parent };
    },
    'export.choose': async () =>
      await choosePath(window(), {
        title: TEXTS.dialogs.exportFolder,
        buttonLabel: TEXTS.dialogs.choose,
        properties: ['openDirectory', 'createDirectory'],
      }),
    'export.preview': (target) => engine.ask('export.preview', target),
    'export.write': async (target) => {
      const written = await engine.ask('export.write', target);
      store.changeSettings({ exportFolder: target.parent });
      emit('runs.changed', settledRuns(await engine.ask('runs.list', undefined), jobs));
      return written;
    },
    'export.reveal': ({ folder }) => {
      if (!existsSync(folder)) throw new UserError(`${folder} is not there any more.`);
      shell.showItemInFolder(folder);
    },
  } satisfies Partial<Handlers>;
}

function runHandlers({ folders, engine, emit, jobs }: StepContext) {
  const settled = (runs: RunSummary[]) => settledRuns(runs, jobs);
  const changed = (runs: RunSummary[]): RunSummary[] => {
    emit('runs.changed', settled(runs));
    return settled(runs);
  };
  return {
    'runs.list': async () => settled(await engine.ask('runs.list', undefined)),
    'runs.show': async (asked) => {
      const details = await engine.ask('runs.show', asked);
      return { ...details, summary: settledRun(details.summary, jobs) };
    },
    'runs.delete': async ({ run }) => {
      if (run === jobs.activeRun) throw new UserError('This run is going on; stop it first.');
      return changed(await engine.ask('runs.delete', { run }));
    },
    'runs.rename': async (asked) => changed(await engine.ask('runs.rename', asked)),
    'runs.reveal': async ({ run }) => {
      await shell.openPath(path.join(folders.runs, run));
    },
  } satisfies Partial<Handlers>;
}

/** A run that was going on when its process died still says so on disk. */
export function settledRun(run: RunSummary, jobs: Pick<JobTracker, 'activeRun'>): RunSummary {
  if (run.id === jobs.activeRun) return { ...run, status: 'running', resumable: false };
  return run.status === 'running' ? { ...run, status: 'stopped', resumable: true } : run;
}

export function settledRuns(runs: readonly RunSummary[], jobs: Pick<JobTracker, 'activeRun'>): RunSummary[] {
  return runs.map((run) => settledRun(run, jobs));
}
