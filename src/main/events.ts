/** The events of the contract on their way to the page, heard by those parts of main that follow them as well. */
import type { EventName, EventPayload } from '../shared/contract.js';

export type Emit = <N extends EventName>(name: N, payload: EventPayload<N>) => void;

export class Events {
  readonly #toPage: Emit;
  readonly #listeners = new Map<EventName, ((payload: never) => void)[]>();

  constructor(toPage: Emit) {
    this.#toPage = toPage;
  }

  /** Tells the page first. */
  readonly emit: Emit = (name, payload) => {
    this.#toPage(name, payload);
    for (const listener of this.#listeners.get(name) ?? []) listener(payload as never);
  };

  on<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): void {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
  }
}
