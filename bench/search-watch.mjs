/** What a search costs up to each of its blocks, from the events of a job. */
export class SearchWatch {
  #rounds = [];
  #passes = 0;
  #started = 0;

  /** The search begins when the original has been measured. */
  see(event) {
    if (event.type === 'original') {
      this.#rounds = [];
      this.#passes = 0;
      this.#started = performance.now();
    } else if (event.type === 'progress') {
      this.#passes = event.done;
    } else if (event.type === 'block-chosen') {
      this.#rounds.push({ passes: this.#passes, seconds: (performance.now() - this.#started) / 1000 });
    }
  }

  /** @returns by block in the order chosen: forward passes of a batch, and seconds, up to it */
  get rounds() {
    return this.#rounds;
  }
}
