/** The job as the main process sees it: which one runs, what it has told, how it ended. */
import type { CheckedInput, EventPayload } from '../shared/contract.js';
import type { JobState } from '../shared/job.js';
import { afterJobEvent, idleJob, startingJob } from '../shared/job-state.js';
import { isBusy } from '../shared/job-status.js';
import type { RunSummary } from '../schema/runs.js';
import { UserError } from '../schema/errors.js';
import type { EngineHost } from './engine-host/engine-host.js';
import type { Emit } from './events.js';
import { TEXTS } from './texts.js';

export type JobEngine = Pick<EngineHost, 'ask' | 'end'>;

export class JobTracker {
  readonly #engine: JobEngine;
  readonly #emit: Emit;
  readonly #now: () => number;
  #state: JobState = idleJob();
  #ended: (() => void)[] = [];

  constructor(engine: JobEngine, emit: Emit, now: () => number = Date.now) {
    this.#engine = engine;
    this.#emit = emit;
    this.#now = now;
  }

  get state(): JobState {
    return this.#state;
  }

  get isBusy(): boolean {
    return isBusy(this.#state.status);
  }

  /** The run that is being worked on at this moment. */
  get activeRun(): string | undefined {
    return this.isBusy ? this.#state.run?.id : undefined;
  }

  /** @throws UserError if a job runs already, PassedFailure with what the engine says */
  async start(settings: CheckedInput<'job.start'>): Promise<RunSummary> {
    return await this.#begin(() => this.#engine.ask('job.start', settings));
  }

  /** @throws UserError if a job runs already, PassedFailure with what the engine says */
  async resume(run: string): Promise<RunSummary> {
    return await this.#begin(() => this.#engine.ask('job.resume', { run }));
  }

  /**
   * Trains points of a run, or adds them to those that are being trained.
   * @throws UserError if another job runs, PassedFailure with what the engine says
   */
  async train(run: string, blocks: readonly number[]): Promise<RunSummary> {
    const { queued } = this.#state;
    if (this.isBusy && queued && this.activeRun === run) {
      this.#change({ queued: [...queued, ...blocks.filter((count) => !queued.includes(count))] });
      return await this.#engine.ask('job.train', { run, blocks: [...blocks] });
    }
    return await this.#begin(() => this.#engine.ask('job.train', { run, blocks: [...blocks] }), [...blocks]);
  }

  async stop(): Promise<void> {
    if (!this.isBusy) return;
    this.#change({ status: 'stopping' });
    await this.#engine.ask('job.stop', undefined);
  }

  /** Resolves when no job runs any more. */
  async whenIdle(): Promise<void> {
    if (!this.isBusy) return;
    await new Promise<void>((resolve) => this.#ended.push(resolve));
  }

  onEvent({ run, event }: EventPayload<'job.event'>): void {
    if (run !== this.#state.run?.id) return;
    this.#state = afterJobEvent(this.#state, event);
    this.#emit('job.event', { run, event });
  }

  onFinished(payload: EventPayload<'job.finished'>): void {
    this.#emit('job.finished', payload);
    this.#end({ status: 'finished', run: payload.run });
  }

  onFailed(payload: EventPayload<'job.failed'>): void {
    this.#emit('job.failed', payload);
    this.#end({ status: payload.status, message: payload.message });
  }

  onStopped(): void {
    this.#end({ status: 'stopped' });
  }

  onCrash(): void {
    this.#emit('engine.crashed', { message: TEXTS.crashed, run: this.activeRun });
    if (this.isBusy) this.#end({ status: 'crashed', message: TEXTS.crashed });
  }

  async #begin(ask: () => Promise<RunSummary>, queued?: number[]): Promise<RunSummary> {
    if (this.isBusy) throw new UserError('A job is running; stop it first.');
    const before = this.#state;
    this.#change({ ...idleJob(), status: 'starting' });
    try {
      const run = await ask();
      this.#state = startingJob(run, this.#now());
      this.#change({ status: 'running', ...(queued && { queued }) });
      return run;
    } catch (error) {
      // The crash has been told already, by onCrash.
      if (this.isBusy) {
        this.#state = before;
        this.#change({});
        this.#engine.end();
      }
      throw error;
    }
  }

  #end(change: Partial<JobState>): void {
    // An ended process gives all its memory back; the next job starts a new one.
    if (change.status !== 'crashed') this.#engine.end();
    this.#change({ ...change, endedAt: this.#now() });
    for (const resolve of this.#ended.splice(0)) resolve();
  }

  #change(change: Partial<JobState>): void {
    this.#state = { ...this.#state, ...change };
    this.#emit('job.changed', this.#state);
  }
}
