/** What was calibrated before. */
import type { RunDetails, RunSummary } from '../../schema/runs.js';
import type { Requests } from '../bridge/requests.svelte.js';
import { Loadable } from './loadable.svelte.js';

export class RunsState {
  list = $state.raw<RunSummary[]>([]);
  /** Ids of the runs that are ticked, two at the most. */
  ticked = $state.raw<string[]>([]);
  readonly compared = new Loadable<RunDetails[]>();
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  async start(): Promise<void> {
    this.#requests.on('runs.changed', (runs) => this.#show(runs));
    this.#show(await this.#requests.ask('runs.list'));
  }

  /** Runs of the command line come and go without a word. */
  async refresh(): Promise<void> {
    this.#show(await this.#requests.ask('runs.list'));
  }

  tick(id: string): void {
    const others = this.ticked.filter((other) => other !== id);
    this.ticked = others.length < this.ticked.length ? others : [...others, id].slice(-2);
    this.compared.clear();
  }

  async compare(): Promise<void> {
    const runs = this.ticked;
    await this.compared.load(() => Promise.all(runs.map((run) => this.#requests.ask('runs.show', { run }))));
  }

  async remove(run: string): Promise<void> {
    this.#show(await this.#requests.ask('runs.delete', { run }));
  }

  async rename(run: string, title: string): Promise<void> {
    this.#show(await this.#requests.ask('runs.rename', { run, title }));
  }

  #show(runs: RunSummary[]): void {
    this.list = runs;
    const known = new Set(runs.map(({ id }) => id));
    if (this.ticked.some((id) => !known.has(id))) {
      this.ticked = this.ticked.filter((id) => known.has(id));
      this.compared.clear();
    }
  }
}
