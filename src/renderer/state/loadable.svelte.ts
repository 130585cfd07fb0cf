/** Something that is asked for and comes later, or does not: empty, loading, ready or failed. */
import type { Failure } from '../../shared/contract.js';
import { failureOf } from '../bridge/requests.svelte.js';

export class Loadable<T> {
  value = $state.raw<T>();
  failure = $state.raw<Failure>();
  loading = $state(false);
  #latest = 0;

  /** Only the latest asking counts; the value before it stays until then. */
  async load(ask: () => Promise<T>): Promise<T | undefined> {
    const turn = ++this.#latest;
    this.loading = true;
    this.failure = undefined;
    try {
      const value = await ask();
      if (turn !== this.#latest) return undefined;
      this.value = value;
      return value;
    } catch (error) {
      if (turn !== this.#latest) return undefined;
      this.value = undefined;
      this.failure = failureOf(error);
      return undefined;
    } finally {
      if (turn === this.#latest) this.loading = false;
    }
  }

  clear(): void {
    this.#latest += 1;
    this.loading = false;
    this.failure = undefined;
    this.value = undefined;
  }
}
