/** Remaining time from the pace so far; the recent pace counts more. */
import type { JobEvent, JobListener } from '../../../schema/events.js';

/** Seconds over which a pace is taken, at the least. */
const SAMPLE = 1;
/** Weight of the last pace. */
const RECENT = 0.1;
/** A pace counts for so many at the most: a laptop that slept for a night says nothing of the work to come. */
const MOST = 10;

export class TimeLeft {
  readonly #now: () => number;
  #what: string | undefined;
  /** Where the pace was taken last. */
  #done = 0;
  #at = 0;
  /** Seconds a unit, smoothed. */
  #pace: number | undefined;

  /** @param now seconds, of any origin */
  constructor(now: () => number = () => performance.now() / 1000) {
    this.#now = now;
  }

  /** @returns seconds, or undefined as long as there is no pace yet */
  after(what: string, done: number, total: number): number | undefined {
    const now = this.#now();
    if (this.#what !== what || done < this.#done) {
      this.#pace = undefined;
      this.#from(what, done, now);
    } else if (now - this.#at >= SAMPLE && done > this.#done) {
      const pace = (now - this.#at) / (done - this.#done);
      if (this.#pace === undefined) this.#pace = pace;
      else this.#pace += RECENT * (Math.min(pace, MOST * this.#pace) - this.#pace);
      this.#from(what, done, now);
    }
    return this.#pace === undefined ? undefined : this.#pace * (total - done);
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
      this.#listener({ ...event, secondsLeft: this.#timeLeft.after(type, done, total) });
    } else this.#listener(event);
  }
}
