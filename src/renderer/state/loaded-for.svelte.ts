/** Something that is asked for and belongs to what was chosen then: once something else is chosen, it is not there. */
import type { Failure } from '../../shared/contract.js';
import { Loadable } from './loadable.svelte.js';

export class LoadedFor<T> {
  readonly #loadable = new Loadable<T>();
  readonly #chosen: () => string | undefined;
  #loadedFor = $state.raw<string>();

  /** @param chosen names what is chosen now; undefined while nothing is */
  constructor(chosen: () => string | undefined) {
    this.#chosen = chosen;
  }

  get value(): T | undefined {
    return this.#isCurrent ? this.#loadable.value : undefined;
  }

  get failure(): Failure | undefined {
    return this.#isCurrent ? this.#loadable.failure : undefined;
  }

  get loading(): boolean {
    return this.#isCurrent && this.#loadable.loading;
  }

  /** Whether it was not asked for yet. */
  get isMissing(): boolean {
    return !this.loading && this.value === undefined && this.failure === undefined;
  }

  /** @returns undefined if it fails, or if something else was asked for or chosen meanwhile */
  async load(ask: () => Promise<T>): Promise<T | undefined> {
    const chosen = this.#chosen();
    if (chosen !== this.#loadedFor) this.#loadable.clear();
    this.#loadedFor = chosen;
    const value = await this.#loadable.load(ask);
    return this.#isCurrent ? value : undefined;
  }

  clear(): void {
    this.#loadable.clear();
  }

  get #isCurrent(): boolean {
    return this.#loadedFor !== undefined && this.#loadedFor === this.#chosen();
  }
}
