/** Something that is asked for each of several choices: each keeps its own for as long as the app runs. */
import { SvelteMap } from 'svelte/reactivity';
import type { Failure } from '../../shared/contract.js';
import { Loadable } from './loadable.svelte.js';

export class KeptFor<T> {
  readonly #kept = new SvelteMap<string, Loadable<T>>();
  readonly #chosen: () => string | undefined;

  /** @param chosen names what is chosen now; undefined while nothing is */
  constructor(chosen: () => string | undefined) {
    this.#chosen = chosen;
  }

  get value(): T | undefined {
    return this.#current?.value;
  }

  get failure(): Failure | undefined {
    return this.#current?.failure;
  }

  get loading(): boolean {
    return this.#current?.loading ?? false;
  }

  /** Whether it was not asked for yet. */
  get isMissing(): boolean {
    return !this.loading && this.value === undefined && this.failure === undefined;
  }

  /** @returns undefined if it fails, or if something else was asked for or chosen meanwhile */
  async load(ask: () => Promise<T>): Promise<T | undefined> {
    const chosen = this.#chosen();
    if (chosen === undefined) return undefined;
    const loadable = this.#kept.get(chosen) ?? new Loadable<T>();
    this.#kept.set(chosen, loadable);
    const value = await loadable.load(ask);
    return chosen === this.#chosen() ? value : undefined;
  }

  /** Forgets the chosen one's. */
  clear(): void {
    this.#current?.clear();
  }

  get #current(): Loadable<T> | undefined {
    const chosen = this.#chosen();
    return chosen === undefined ? undefined : this.#kept.get(chosen);
  }
}
