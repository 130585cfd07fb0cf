/** The one job that runs in this process. */
import os from 'node:os';
import { CancelledError, UserError } from '../schema/errors.js';
import { countProblems } from '../engine/data/row-problems.js';
import { planText, planWay } from '../engine/jobs/parts/memory-plan.js';
import type { Run } from '../engine/runs/run-store.js';
import { slim, type SlimEvent } from '../engine/jobs/slim.js';
import type { JobEvent } from '../shared/job.js';
import type { JobSettings } from '../shared/job-settings.js';
import type { RunReport } from '../shared/report.js';
import type { RunSummary } from '../shared/runs.js';
import { UNEXPECTED } from '../shared/router.js';
import type { EngineContext } from './engine-context.js';
import { slimSettings } from './job-options.js';
import { checkpointOf, findingsOf, openRun, runSummary } from './run-details.js';
import { TimeLeft } from './time-left.js';

export class JobRunner {
  readonly #context: EngineContext;
  readonly #onStopped: (run: string) => void;
  #running: { run: Run; stop: AbortController } | undefined;

  constructor(context: EngineContext, onStopped: (run: string) => void) {
    this.#context = context;
    this.#onStopped = onStopped;
  }

  /** @throws UserError if a job runs already or the settings do not make sense */
  start(settings: JobSettings): RunSummary {
    this.#requireIdle();
    return this.#begin(this.#context.store.create(slimSettings(settings)));
  }

  /** @throws UserError if a job runs already or there is no such run */
  resume(id: string): RunSummary {
    this.#requireIdle();
    return this.#begin(openRun(this.#context.store, id));
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
    return runSummary(this.#context.store, run);
  }

  async #execute(run: Run, signal: AbortSignal): Promise<void> {
    const { store, folders, emit, log } = this.#context;
    const send = (event: JobEvent) => emit('job.event', { run: run.id, event });
    const checkpoint = checkpointOf(store, run);
    if (checkpoint) send({ type: 'restored', findings: findingsOf(checkpoint) });
    const translate = new JobEvents(send, (text) => log('info', `${run.id}: ${text}`));
    try {
      const { report } = await slim(run, {
        store,
        cacheFolder: folders.cache,
        signal,
        onEvent: (event) => translate.pass(event),
      });
      this.#running = undefined;
      emit('job.finished', { run: runSummary(store, run), report: report as RunReport });
    } catch (error) {
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
}

/** The window and what else the user does come first; this process does nothing but its job. */
function yieldToOthers(): void {
  try {
    os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Where it is not allowed, the job runs at the usual priority.
  }
}

/** Events of the engine as those of the contract, not more of them than a page can draw. */
class JobEvents {
  readonly #send: (event: JobEvent) => void;
  readonly #log: (text: string) => void;
  readonly #timeLeft = new TimeLeft();
  #lastProgress = 0;

  constructor(send: (event: JobEvent) => void, log: (text: string) => void) {
    this.#send = send;
    this.#log = log;
  }

  pass(event: SlimEvent): void {
    if (event.type === 'progress' || event.type === 'answers') {
      const { done, total } = event;
      const secondsLeft = this.#timeLeft.after(event.type, done, total);
      if (performance.now() - this.#lastProgress < 100 && done < total) return;
      this.#lastProgress = performance.now();
      if (event.type === 'answers') this.#send(event);
      else this.#send({ ...event, ...(secondsLeft === undefined ? {} : { secondsLeft }) });
    } else if (event.type === 'columns') {
      this.#send({ ...event, problems: countProblems(event.problems) });
    } else if (event.type === 'epoch-finished') {
      this.#send({ ...event, skipped: [...event.skipped] });
    } else if (event.type === 'provider') {
      this.#log(event.reason);
      this.#send(event);
    } else if (event.type === 'cpu-operators') {
      this.#log(`${event.provider} leaves to the CPU: ${event.operators.join(', ')}`);
    } else if (event.type === 'memory') {
      this.#log(planText(event.plan));
      this.#send({ type: 'memory', work: event.plan.work, way: planWay(event.plan) });
    } else this.#send(event);
  }
}
