/** The list of runs as the page sees it: what lies on disk, and which of them is going on now. */
import type { RunSummary } from '../schema/runs.js';
import type { EngineHost } from './engine-host/engine-host.js';
import type { Events } from './events.js';
import type { JobTracker } from './job-tracker.js';
import type { Log } from './log.js';

export class RunList {
  readonly #desk: EngineHost;
  readonly #jobs: Pick<JobTracker, 'activeRun'>;
  readonly #events: Events;

  constructor(desk: EngineHost, jobs: Pick<JobTracker, 'activeRun'>, events: Events) {
    this.#desk = desk;
    this.#jobs = jobs;
    this.#events = events;
  }

  /** Tells of the list whenever the job's state changes. */
  follow(log: Log): void {
    this.#events.on('job.changed', () => {
      this.tell().catch((error: unknown) =>
        log.write('warning', 'The list of runs could not be read', error),
      );
    });
  }

  async read(): Promise<RunSummary[]> {
    return this.#settled(await this.#desk.ask('runs.list', undefined));
  }

  async tell(): Promise<void> {
    this.changed(await this.#desk.ask('runs.list', undefined));
  }

  /** Tells of a list that the engine has just given. */
  changed(runs: readonly RunSummary[]): RunSummary[] {
    const settled = this.#settled(runs);
    this.#events.emit('runs.changed', settled);
    return settled;
  }

  /** A run that was going on when its process died still says so on disk. */
  settle(run: RunSummary): RunSummary {
    if (run.id === this.#jobs.activeRun) return { ...run, status: 'running', resumable: false };
    return run.status === 'running' ? { ...run, status: 'stopped', resumable: true } : run;
  }

  #settled(runs: readonly RunSummary[]): RunSummary[] {
    return runs.map((run) => this.settle(run));
  }
}
