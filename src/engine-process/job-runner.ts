/** The one job that runs in this process. */
import {
  CancelledError,
  forUsers,
  ImpossibleError,
  runDetails,
  runSummary,
  slim,
  trainPoint,
  UserError,
  type JobContext,
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

interface RunningJob {
  run: Run;
  stop: AbortController;
  /** Points that are still to be trained, where that is the job. */
  queue: number[] | undefined;
}

export class JobRunner {
  readonly #shell: EngineShell;
  readonly #onStopped: (run: string) => void;
  #running: RunningJob | undefined;
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

  /**
   * Trains points of a run's curve, one after the other; more of them while that goes on.
   * @throws UserError if another job runs already or there is no such run
   */
  train(id: string, blocks: readonly number[]): RunSummary {
    const running = this.#running;
    if (running?.queue && running.run.id === id) {
      running.queue.push(...blocks.filter((count) => !running.queue!.includes(count)));
      return runSummary(this.#shell.jobs.store, running.run);
    }
    this.#requireIdle();
    return this.#begin(this.#shell.jobs.store.openExactly(id), [...blocks]);
  }

  stop(): void {
    this.#running?.stop.abort();
  }

  #requireIdle(): void {
    if (this.#running) throw new UserError('A job is running; stop it first.');
  }

  #begin(run: Run, queue?: number[]): RunSummary {
    const stop = new AbortController();
    const job: RunningJob = { run, stop, queue };
    this.#running = job;
    yieldToOthers();
    run.status = 'running';
    // After the reply, so that the page knows the run when its first event comes.
    setImmediate(() => void this.#execute(job));
    return runSummary(this.#shell.jobs.store, run);
  }

  async #execute({ run, stop, queue }: RunningJob): Promise<void> {
    const { jobs, emit, log } = this.#shell;
    const context = { ...jobs, signal: stop.signal, on: (event: JobEvent) => this.#pass(run.id, event) };
    try {
      if (queue) {
        await this.#trainAll(run.id, queue, context);
        return;
      }
      const { report } = await slim({ run }, context);
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
      const status = error instanceof ImpossibleError ? 'impossible' : 'failed';
      emit('job.failed', { run: run.id, message: isUsers ? error.message : UNEXPECTED, status });
    }
  }

  /** What the run has found comes first, so that its curve is there to grow. A stop keeps the points that are trained. */
  async #trainAll(id: string, queue: number[], context: JobContext): Promise<void> {
    const { store } = context;
    const { report, findings } = runDetails(store, id);
    context.on({ type: 'restored', findings });
    if (report) {
      context.on({ type: 'original', quality: report.original, measure: report.qualityMeasure });
      for (const point of report.points) context.on({ type: 'point', point });
    }
    let last: number | undefined;
    try {
      for (let blocks = queue.shift(); blocks !== undefined; blocks = queue.shift()) {
        await trainPoint({ run: id, blocks }, context);
        last = blocks;
      }
    } catch (error) {
      if (!(forUsers(error) instanceof CancelledError)) throw error;
    }
    this.#running = undefined;
    const after = runDetails(store, id);
    if (!after.report) throw new UserError(`The run ${id} has no report any more.`);
    this.#shell.emit('job.finished', { run: after.summary, report: after.report, point: last });
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
