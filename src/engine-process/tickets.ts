/** Work that can be stopped by the name its asker gave it. One at a time: two at once would only slow each other down. */
import { CancelledError } from '../schema/errors.js';

/** @param giveWay lets urgent work that waits go first; to be called between steps of work that takes long */
export type TicketWork<T> = (signal: AbortSignal, giveWay: () => Promise<void>) => Promise<T>;

export class Tickets {
  readonly #open = new Map<string, AbortController>();
  readonly #turn = new Turn();

  /**
   * Runs work after the work before it.
   * @throws CancelledError if stopped before it began; otherwise what the work throws
   */
  async run<T>(ticket: string, work: TicketWork<T>): Promise<T> {
    return await this.#run(ticket, work, false);
  }

  /** Runs work that somebody waits for before all that is not urgent, as soon as the work under way gives way. */
  async runUrgent<T>(ticket: string, work: TicketWork<T>): Promise<T> {
    return await this.#run(ticket, work, true);
  }

  stop(ticket: string): void {
    this.#open.get(ticket)?.abort();
  }

  async #run<T>(ticket: string, work: TicketWork<T>, urgent: boolean): Promise<T> {
    this.stop(ticket);
    const controller = new AbortController();
    this.#open.set(ticket, controller);
    await this.#turn.take(urgent);
    try {
      if (controller.signal.aborted) throw new CancelledError();
      return await work(controller.signal, () => this.#turn.giveWay());
    } finally {
      this.#turn.pass();
      if (this.#open.get(ticket) === controller) this.#open.delete(ticket);
    }
  }
}

/** Whose turn it is: one's, then that of those who wait, the urgent ones first. */
class Turn {
  #taken = false;
  readonly #urgent: (() => void)[] = [];
  readonly #others: (() => void)[] = [];

  async take(urgent: boolean): Promise<void> {
    if (!this.#taken) {
      this.#taken = true;
      return;
    }
    await new Promise<void>((resolve) => (urgent ? this.#urgent : this.#others).push(resolve));
  }

  pass(): void {
    const next = this.#urgent.shift() ?? this.#others.shift();
    if (next) next();
    else this.#taken = false;
  }

  /** Waits for the urgent ones, if there are any, and goes on before the others. */
  async giveWay(): Promise<void> {
    if (this.#urgent.length === 0) return;
    const again = new Promise<void>((resolve) => this.#others.unshift(resolve));
    this.pass();
    await again;
  }
}
