/** Work that can be stopped by the name its asker gave it. */
import { CancelledError } from '../../engine/errors.js';

export class Tickets {
  readonly #open = new Map<string, AbortController>();
  #queue: Promise<unknown> = Promise.resolve();

  /**
   * Runs work after the work before it: two at once would only slow each other down.
   * @throws CancelledError if stopped before it began; otherwise what the work throws
   */
  async run<T>(ticket: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.stop(ticket);
    const controller = new AbortController();
    this.#open.set(ticket, controller);
    const result = this.#queue.then(async () => {
      if (controller.signal.aborted) throw new CancelledError();
      return await work(controller.signal);
    });
    this.#queue = result.catch(() => undefined);
    try {
      return await result;
    } finally {
      if (this.#open.get(ticket) === controller) this.#open.delete(ticket);
    }
  }

  stop(ticket: string): void {
    this.#open.get(ticket)?.abort();
  }
}
