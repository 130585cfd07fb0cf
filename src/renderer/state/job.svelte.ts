/** Step 4: the job that runs. */
import type { Failure } from '../../shared/contract.js';
import type { JobRequest } from '../../shared/job-settings.js';
import type { JobState } from '../../shared/job.js';
import { afterJobEvent, idleJob } from '../../shared/job-state.js';
import { isBusy } from '../../shared/job-status.js';
import type { ModelDescription } from '../../schema/blocks.js';
import { failureOf, type Requests } from '../bridge/requests.svelte.js';
import type { Descriptions } from './descriptions.svelte.js';

/** Milliseconds for which events are gathered: a small model's job tells hundreds a second. */
const TOGETHER = 60;

export class JobView {
  state = $state.raw<JobState>(idleJob());
  /** Why a job could not be started or changed. */
  failure = $state.raw<Failure>();
  /** What the events that came since the page was last drawn add up to. */
  #coming: JobState | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #requests: Requests;
  readonly #descriptions: Descriptions;
  readonly #onEnded: (run: string, blocks?: number) => void;
  readonly #onPoint: (run: string) => void;

  /**
   * @param onPoint told of every point that was asked for and is trained
   * @param onEnded told of every job that ends, finished or not; with the point that it settled on
   */
  constructor(
    requests: Requests,
    descriptions: Descriptions,
    onPoint: (run: string) => void,
    onEnded: (run: string, blocks?: number) => void,
  ) {
    this.#requests = requests;
    this.#descriptions = descriptions;
    this.#onPoint = onPoint;
    this.#onEnded = onEnded;
  }

  async start(): Promise<void> {
    this.#requests.on('job.event', ({ run, event }) => {
      const before = this.#coming ?? this.state;
      if (run !== before.run?.id) return;
      this.#coming = afterJobEvent(before, event);
      if (event.type === 'point' && before.queued?.includes(event.point.skipped.length)) this.#onPoint(run);
      if (this.#timer === undefined) this.#timer = setTimeout(() => this.#show(), TOGETHER);
    });
    this.#requests.on('job.changed', (state) => {
      const wasActive = this.active;
      // It holds all events so far.
      this.#coming = undefined;
      this.#take(state);
      if (wasActive && (this.resumable || this.impossible)) this.#onEnded(state.run!.id);
    });
    this.#requests.on('job.finished', ({ run, report, point }) =>
      this.#onEnded(run.id, point ?? report.chosenPoint),
    );
    this.#take(await this.#requests.ask('job.state'));
  }

  #take(state: JobState): void {
    this.state = state;
    if (state.run) void this.#descriptions.need(state.run.settings);
  }

  #show(): void {
    this.#timer = undefined;
    if (this.#coming) this.state = this.#coming;
    this.#coming = undefined;
  }

  get active(): boolean {
    return isBusy(this.state.status);
  }

  /** The job's own model, whichever is chosen now; undefined where it cannot be read any more. */
  get model(): ModelDescription | undefined {
    return this.#descriptions.of(this.state.run?.settings);
  }

  /** Whether its run can go on from where it stands. */
  get resumable(): boolean {
    return ['stopped', 'failed', 'crashed'].includes(this.state.status) && this.state.run !== undefined;
  }

  /** Whether what its run was asked for cannot be had. */
  get impossible(): boolean {
    return this.state.status === 'impossible' && this.state.run !== undefined;
  }

  begin(settings: JobRequest): Promise<void> {
    return this.#attempt(() => this.#requests.ask('job.start', settings));
  }

  /** Trains more points of a run, after those that are being trained already. */
  train(run: string, blocks: number[]): Promise<void> {
    return this.#attempt(() => this.#requests.ask('job.train', { run, blocks }));
  }

  resume(run = this.state.run?.id): Promise<void> {
    return this.#attempt(async () => {
      if (run !== undefined) await this.#requests.ask('job.resume', { run });
    });
  }

  stop(): Promise<void> {
    return this.#attempt(() => this.#requests.ask('job.stop'));
  }

  async #attempt(act: () => Promise<unknown>): Promise<void> {
    this.failure = undefined;
    try {
      await act();
    } catch (error) {
      this.failure = failureOf(error);
    }
  }
}
