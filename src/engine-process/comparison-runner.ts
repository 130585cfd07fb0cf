/** The one list of prompts that is worked on in this process. */
import {
  CancelledError,
  compareList,
  comparisonDetails,
  newComparison,
  UserError,
  type ComparisonSettings,
  type ComparisonSummary,
  type JobEvent,
} from '../engine/index.js';
import { logLine, type EngineShell } from './engine-shell.js';
import { yieldToOthers } from './yield-to-others.js';

/** Milliseconds between two events of progress. */
const PROGRESS_PAUSE = 250;

export class ComparisonRunner {
  readonly #shell: EngineShell;
  #stop: AbortController | undefined;
  #lastProgress = -Infinity;

  constructor(shell: EngineShell) {
    this.#shell = shell;
  }

  /** @throws UserError if one is worked on already, or a model or the prompts are not there */
  async start(settings: ComparisonSettings): Promise<ComparisonSummary> {
    return await this.#begin(() => newComparison(settings, this.#shell.jobs));
  }

  /** @throws UserError if one is worked on already, or there is no such comparison */
  async resume(id: string): Promise<ComparisonSummary> {
    return await this.#begin(() => comparisonDetails(id, this.#shell.jobs).summary);
  }

  stop(): void {
    this.#stop?.abort();
  }

  async #begin(find: () => Promise<ComparisonSummary> | ComparisonSummary): Promise<ComparisonSummary> {
    if (this.#stop) throw new UserError('A comparison is going on; stop it first, or wait for its end.');
    const stop = new AbortController();
    this.#stop = stop;
    try {
      const summary = await find();
      yieldToOthers();
      // After the reply, so that the page knows it when its first event comes.
      setImmediate(() => void this.#execute(summary.id, stop.signal));
      return { ...summary, status: 'running', interrupted: false, error: undefined };
    } catch (error) {
      this.#stop = undefined;
      throw error;
    }
  }

  async #execute(id: string, signal: AbortSignal): Promise<void> {
    const { jobs, emit, log } = this.#shell;
    try {
      await compareList({ comparison: id }, { ...jobs, signal, on: (event) => this.#pass(id, event) });
    } catch (error) {
      // What users are to know of it is kept with the comparison.
      const isFault = !(error instanceof UserError || error instanceof CancelledError);
      if (isFault) log('error', `${id}: ${error instanceof Error ? error.stack : String(error)}`);
    } finally {
      this.#stop = undefined;
      await jobs.kept.release();
      emit('comparison.ended', { id });
    }
  }

  #pass(id: string, event: JobEvent): void {
    const { emit, log } = this.#shell;
    const line = logLine(event);
    if (line !== undefined) log('info', `${id}: ${line}`);
    if (event.type !== 'answers') return;
    const now = performance.now();
    if (now - this.#lastProgress < PROGRESS_PAUSE && event.done < event.total) return;
    this.#lastProgress = now;
    const { done, total, secondsLeft } = event;
    emit('comparison.progress', { id, done, total, secondsLeft });
  }
}
