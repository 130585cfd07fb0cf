/**
 * What a job would take is tried in the process that would run it: it may die of it, and it ends at once when nobody
 * waits for the answer any more.
 */
import { UserError } from '../schema/errors.js';
import type { CheckedInput, RequestOutput } from '../shared/contract.js';
import type { EngineHost } from './engine-host/engine-host.js';
import type { JobTracker } from './job-tracker.js';

export class Estimates {
  readonly #engine: Pick<EngineHost, 'ask' | 'end'>;
  readonly #jobs: Pick<JobTracker, 'isBusy'>;
  #turn = 0;
  #isUnderWay = false;

  constructor(engine: Pick<EngineHost, 'ask' | 'end'>, jobs: Pick<JobTracker, 'isBusy'>) {
    this.#engine = engine;
    this.#jobs = jobs;
  }

  /**
   * The one before is answered as cancelled.
   * @throws UserError while a job runs, PassedFailure with what the engine says
   */
  async ask(settings: CheckedInput<'job.estimate'>): Promise<RequestOutput<'job.estimate'>> {
    if (this.#jobs.isBusy) throw new UserError('A run is under way; measuring has to wait.');
    this.stop();
    const turn = (this.#turn += 1);
    this.#isUnderWay = true;
    try {
      return await this.#engine.ask('job.estimate', settings);
    } finally {
      if (turn === this.#turn) this.#isUnderWay = false;
    }
  }

  /** Before a job begins, too: it would wait for the estimate. */
  stop(): void {
    if (!this.#isUnderWay) return;
    this.#isUnderWay = false;
    this.#engine.end();
  }
}
