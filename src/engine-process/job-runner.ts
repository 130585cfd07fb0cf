/** The one job that runs in this process. */
import {
  CancelledError,
  forUsers,
  runSummary,
  slim,
  UserError,
  type JobEvent,
  type JobSettings,
  type Run,
  type RunSummary,
} from '../engine/index.js';
import { UNEXPECTED } from '../shared/router.js';
import { logLine, type EngineShell } from './engine-shell.js';
import { yieldToOthers } from './yield-to-others.js';

/** Milliseconds between two events of progress; a page cannot draw more of them. */
const PROGRESS_PAUSE = 100;

export class JobRunner {
  readonly #shell: EngineShell;
  readonly #onStopped: (run: string) => void;
  #running: { run: Run; stop: AbortController } | undefined;
  #lastProgress = 0;

  constructor(shell: EngineShell, onStopped: (run: string) => void) {
    this.#shell = shell;
    this.#onStopped = onStopped;
  }

  /** @throws UserError if a job runs already */
  start(settings: JobSettings): RunSummary {
    this.#requireIdle();
    return this.#begin(this.#shell.jobs.store.create(settings));
  }

  /** @throws UserError if a job runs already or there is no such run */
  resume(id: string): RunSummary {
    this.#requireIdle();
    return this.#begin(this.#shell.jobs.store.openExactly(id));
  }

  stop(): void {
    this.#running?.stop.abort();
  }

  #requireIdle(): void {
    if (this.#running) throw new UserError('A job is running; stop it first.');
  }

  #begin(run: Run): RunSummary {
    const stop = new AbortController();
    this.#running = { run, stop };
    yieldToOthers();
    run.status = 'running';
    // After the reply, so that the page knows the run when its first event comes.
    setImmediate(() => void this.#execute(run, stop.signal));
    return runSummary(this.#shell.jobs.store, run);
  }

  async #execute(run: Run, signal: AbortSignal): Promise<void> {
    const { jobs, emit, log } = this.#shell;
    try {
      const on = (event: JobEvent) => this.#pass(run.id, event);
      const { report } = await slim({ run }, { ...jobs, signal, on });
      this.#running = undefined;
      emit('job.finished', { run: runSummary(jobs.store, run), report });
    } catch (thrown) {
      const error = forUsers(thrown);
      this.#running = undefined;
      if (error instanceof CancelledError) {
        this.#onStopped(run.id);
        return;
      }
      const isUsers = error instanceof UserError;
      if (!isUsers)
        log('error', `The job ${run.id} failed: ${error instanceof Error ? error.stack : String(error)}`);
      emit('job.failed', { run: run.id, message: isUsers ? error.message : UNEXPECTED });
    }
  }

  #pass(run: string, event: JobEvent): void {
    const { emit, log } = this.#shell;
    if ('done' in event) {
      const now = performance.now();
      if (now - this.#lastProgress < PROGRESS_PAUSE && event.done < event.total) return;
      this.#lastProgress = now;
    }
    const line = logLine(event);
    if (line !== undefined) log('info', `${run}: ${line}`);
    emit('job.event', { run, event });
  }
}
