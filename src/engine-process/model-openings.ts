/** Models that are opened: those of other formats are converted first, which is told and can be stopped. */
import path from 'node:path';
import { describeModel, foreseeImport, type JobEvent } from '../engine/index.js';
import type { CheckedInput, RequestOutput } from '../shared/contract.js';
import type { EngineShell } from './engine-shell.js';

/** Milliseconds between two events of progress. */
const PROGRESS_PAUSE = 100;

export class ModelOpenings {
  readonly #shell: EngineShell;
  readonly #open = new Map<string, AbortController>();

  constructor(shell: EngineShell) {
    this.#shell = shell;
  }

  look(choice: CheckedInput<'model.look'>): RequestOutput<'model.look'> {
    return { conversion: foreseeImport(choice, this.#shell.jobs) };
  }

  /** The same model's opening before is stopped. */
  async open(choice: CheckedInput<'model.open'>): Promise<RequestOutput<'model.open'>> {
    this.stop(choice);
    const controller = new AbortController();
    this.#open.set(choice.model, controller);
    const { jobs, start } = this.#shell;
    try {
      const on = this.#listener(choice.model);
      const description = await describeModel(choice, { ...jobs, signal: controller.signal, on });
      const isSample = path.resolve(description.folder) === path.resolve(start.folders.sample);
      return { ...description, isSample };
    } finally {
      if (this.#open.get(choice.model) === controller) this.#open.delete(choice.model);
    }
  }

  stop({ model }: CheckedInput<'model.stop'>): void {
    this.#open.get(model)?.abort();
  }

  #listener(model: string): (event: JobEvent) => void {
    let last = -PROGRESS_PAUSE;
    return (event) => {
      if (event.type !== 'imported') return;
      const now = performance.now();
      if (now - last < PROGRESS_PAUSE && event.done < event.total) return;
      last = now;
      const { done, total, secondsLeft } = event;
      this.#shell.emit('model.converting', { model, done, total, secondsLeft });
    };
  }
}
