/** Remaining time from the pace so far; the recent pace counts more. */
import type { JobEvent, JobListener } from '../../../schema/events.js';

/** Seconds over which a pace is taken, at the least. */
const SAMPLE = 1;
/** What a sample still counts when the next has come. */
const KEPT = 0.9;
/** A sample takes so many times the pace so far at the most: a laptop that slept for a night says nothing of the work to come. */
const MOST = 10;

export class TimeLeft {
  readonly #now: () => number;
  #what: string | undefined;
  /** Where the pace was taken last. */
  #done = 0;
  #at = 0;
  /** Seconds and units of the samples so far; older ones count less. */
  #seconds = 0;
  #units = 0;

  /** @param now seconds, of any origin */
  constructor(now: () => number = () => performance.now() / 1000) {
    this.#now = now;
  }

  /** @returns seconds, or undefined as long as there is no pace yet */
  after(what: string, done: number, total: number): number | undefined {
    const now = this.#now();
    if (this.#what !== what || done < this.#done) {
      [this.#seconds, this.#units] = [0, 0];
      this.#from(what, done, now);
    } else if (now - this.#at >= SAMPLE && done > this.#done) {
      const units = done - this.#done;
      const most = this.#units > 0 ? MOST * (this.#seconds / this.#units) * units : Infinity;
      this.#seconds = KEPT * this.#seconds + Math.min(now - this.#at, most);
      this.#units = KEPT * this.#units + units;
      this.#from(what, done, now);
    }
    return this.#units === 0 ? undefined : (this.#seconds / this.#units) * (total - done);
  }

  #from(what: string, done: number, now: number): void {
    this.#what = what;
    this.#done = done;
    this.#at = now;
  }
}

/** Passes events on; those that count work say how long the rest will take. */
export class WithTimeLeft {
  readonly #listener: JobListener;
  readonly #timeLeft = new TimeLeft();

  constructor(listener: JobListener) {
    this.#listener = listener;
  }

  pass(event: JobEvent): void {
    if (event.type === 'progress' || event.type === 'answers') {
      const { type, done, total } = event;
      const inMaking = event.type === 'answers' ? (event.inMaking ?? 0) : 0;
      this.#listener({ ...event, secondsLeft: this.#timeLeft.after(type, done + inMaking, total) });
    } else this.#listener(event);
  }
}
