/** The app's engine processes: while one calibrates and one compares, the desk still answers at once. */
import { app } from 'electron';
import path from 'node:path';
import type { EventPayload } from '../../shared/contract.js';
import type { EngineEvent, EngineStart } from '../../shared/engine-messages.js';
import { BUILD } from '../app-files.js';
import { Estimates } from '../estimates.js';
import type { Events } from '../events.js';
import type { Folders } from '../folders.js';
import { ComparisonTracker } from '../comparison-tracker.js';
import { JobTracker } from '../job-tracker.js';
import type { Log } from '../log.js';
import type { AppStore } from '../store.js';
import { TEXTS } from '../texts.js';
import type { StartEngine } from './engine-channel.js';
import { EngineHost, type EngineHostListener } from './engine-host.js';
import { nodeChannel } from './node-channel.js';
import { utilityChannel } from './utility-channel.js';

export interface Engines {
  /** Answers the page. */
  desk: EngineHost;
  /** Runs the jobs, in the other process. */
  jobs: JobTracker;
  /** Works on lists of prompts, in a third. */
  comparisons: ComparisonTracker;
  /** In the process of the jobs. */
  estimates: Estimates;
  end(): void;
}

export interface EngineParts {
  store: AppStore;
  folders: Folders;
  log: Log;
  events: Events;
}

export function openEngines({ store, folders, log, events }: EngineParts): Engines {
  const folder = path.join(BUILD, 'engine');
  const start: EngineStart = { folders, exportFolder: app.getPath('documents') };
  const startAs =
    (name: string): StartEngine =>
    () =>
      store.settings.engineProcess === 'node'
        ? nodeChannel(folder.replace('app.asar', 'app.asar.unpacked'), start)
        : utilityChannel(folder, name, start);

  const untold = (telling: Promise<void>) =>
    telling.catch((error: unknown) => log.write('warning', 'Comparisons could not be listed', error));
  const listener = (onCrash: () => void): EngineHostListener => ({
    onEvent: <N extends EngineEvent>(name: N, payload: EventPayload<N>) => {
      if (name === 'job.event') jobs.onEvent(payload as EventPayload<'job.event'>);
      else if (name === 'job.finished') jobs.onFinished(payload as EventPayload<'job.finished'>);
      else if (name === 'job.failed') jobs.onFailed(payload as EventPayload<'job.failed'>);
      else if (name === 'comparison.ended')
        untold(comparisons.onEnded(payload as EventPayload<'comparison.ended'>));
      else events.emit(name, payload);
    },
    onJobStopped: () => jobs.onStopped(),
    onCrash,
    log: (level, message, error) => log.write(level, message, error),
  });

  const desk = new EngineHost(
    startAs('Hopscotch engine'),
    listener(() => events.emit('engine.crashed', { message: TEXTS.crashed })),
  );
  const worker = new EngineHost(
    startAs('Hopscotch calibration'),
    listener(() => jobs.onCrash()),
  );
  const jobs: JobTracker = new JobTracker(worker, events.emit);
  const comparer = new EngineHost(
    startAs('Hopscotch comparison'),
    listener(() => untold(comparisons.onCrash())),
  );
  const comparisons: ComparisonTracker = new ComparisonTracker(comparer, desk, events.emit);
  return {
    desk,
    jobs,
    comparisons,
    estimates: new Estimates(worker, jobs),
    end: () => {
      desk.end();
      worker.end();
      comparer.end();
    },
  };
}
