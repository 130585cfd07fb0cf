/** Step 5: lists of prompts through several models, which go on in the background. */
import type { ComparedModel, ComparisonDetails, ComparisonSummary, Vote } from '../../schema/comparison.js';
import type { EventPayload, Failure, RequestInput } from '../../shared/contract.js';
import { failureOf, type Requests } from '../bridge/requests.svelte.js';
import { Loadable } from './loadable.svelte.js';
import type { ResultState } from './result.svelte.js';

/** A model with what people call it. */
export interface NamedModel {
  name: string;
  model: ComparedModel;
}

/** Milliseconds between two looks at what is answered while a comparison goes on. */
const LOOK_AGAIN = 4000;

export class ComparisonsState {
  list = $state.raw<ComparisonSummary[]>([]);
  /** Which is shown; undefined: the form for a new one. */
  shown = $state<string>();
  view = $state<'one' | 'many'>('one');
  readonly details = new Loadable<ComparisonDetails>();
  progress = $state.raw<EventPayload<'comparison.progress'>>();
  /** Why one could not be begun or gone on with. */
  failure = $state.raw<Failure>();
  beginning = $state(false);

  // What a new one will ask.
  /** Chosen by the user; undefined: the original and the point that is looked at. */
  chosen = $state.raw<NamedModel[]>();
  source = $state<'heldout' | 'file' | 'pasted'>('heldout');
  file = $state<string>();
  pasted = $state('');
  count = $state<number>();
  system = $state('');
  temperature = $state<number>();
  seed = $state(0);
  maxNewTokens = $state(256);

  readonly #requests: Requests;
  readonly #result: ResultState;
  #looked = 0;

  constructor(requests: Requests, result: ResultState) {
    this.#requests = requests;
    this.#result = result;
    requests.on('comparisons.changed', (list) => (this.list = list));
    requests.on('comparison.progress', (progress) => {
      this.progress = progress;
      const now = Date.now();
      if (progress.id !== this.shown || this.details.loading || now - this.#looked < LOOK_AGAIN) return;
      void this.look();
    });
    requests.on('comparison.ended', ({ id }) => {
      if (this.progress?.id === id) this.progress = undefined;
      if (id === this.shown) void this.look();
    });
  }

  async start(): Promise<void> {
    this.list = await this.#requests.ask('comparisons.list');
  }

  get summary(): ComparisonSummary | undefined {
    return this.list.find(({ id }) => id === this.shown);
  }

  get isBusy(): boolean {
    return this.beginning || this.list.some(({ status }) => status === 'running');
  }

  /** What a new comparison will hold against each other, the first one first. */
  get models(): NamedModel[] {
    const { target } = this.#result;
    if (this.chosen || !target) return this.chosen ?? [];
    return [0, target.blocks].map((blocks) => this.pointOf(target.run, blocks));
  }

  /** @param run one of the list, or the one that is looked at */
  pointOf(run: string, blocks: number, label?: string): NamedModel {
    const summary = this.#result.details.value?.summary;
    // As the result's columns will call them.
    const original = label ?? summary?.modelName ?? run;
    const slimmed = label ?? summary?.title ?? [original, summary?.datasetName].filter(Boolean).join(', ');
    const name = blocks === 0 ? `${original}, original` : `${slimmed}, ${blocks} skipped`;
    return { name, model: { kind: 'point', run, blocks } };
  }

  add(model: NamedModel): void {
    const key = JSON.stringify(model.model);
    if (this.models.some((known) => JSON.stringify(known.model) === key)) return;
    this.chosen = [...this.models, model];
  }

  remove(place: number): void {
    this.chosen = this.models.filter((_, index) => index !== place);
  }

  async addFolder(): Promise<void> {
    const { path } = await this.#requests.ask('model.choose', { what: 'folder' });
    if (path === undefined) return;
    this.add({ name: path.split(/[\\/]/).findLast(Boolean) ?? path, model: { kind: 'model', model: path } });
  }

  async chooseFile(): Promise<void> {
    const { path } = await this.#requests.ask('task.choose');
    if (path !== undefined) this.file = path;
  }

  get canBegin(): boolean {
    const hasPrompts = this.source === 'heldout' ? this.#result.run !== undefined : this.#hasOwnPrompts;
    return !this.isBusy && this.models.length > 1 && hasPrompts;
  }

  get #hasOwnPrompts(): boolean {
    return this.source === 'file' ? this.file !== undefined : this.pasted.trim() !== '';
  }

  async begin(): Promise<void> {
    if (!this.canBegin) return;
    await this.#work(async () => {
      const { system, temperature, seed, maxNewTokens, count } = this;
      return await this.#requests.ask('comparisons.start', {
        models: this.models.map(({ model }) => model),
        prompts: await this.#prompts(),
        count,
        system: system.trim() === '' ? undefined : system,
        temperature,
        seed,
        maxNewTokens,
      });
    });
  }

  async #prompts(): Promise<RequestInput<'comparisons.start'>['prompts']> {
    if (this.source === 'heldout') return { from: 'heldout', run: this.#result.run! };
    if (this.source === 'file') return { from: 'file', file: this.file! };
    const { path } = await this.#requests.ask('task.paste', { text: this.pasted });
    return { from: 'file', file: path };
  }

  async resume(): Promise<void> {
    const id = this.shown;
    if (id !== undefined) await this.#work(() => this.#requests.ask('comparisons.resume', { id }));
  }

  async stop(): Promise<void> {
    await this.#requests.ask('comparisons.stop');
  }

  async delete(id: string): Promise<void> {
    this.list = await this.#requests.ask('comparisons.delete', { id });
    if (id === this.shown) this.open(undefined);
  }

  /** @param id undefined: the form */
  open(id: string | undefined): void {
    this.shown = id;
    this.failure = undefined;
    this.details.clear();
    if (id !== undefined) void this.look();
  }

  /** Reads what is answered so far. */
  async look(): Promise<void> {
    const id = this.shown;
    if (id === undefined) return;
    this.#looked = Date.now();
    await this.details.load(() => this.#requests.ask('comparisons.show', { id }));
  }

  async vote(given: Vote): Promise<void> {
    if (this.shown !== undefined) await this.#requests.ask('comparisons.vote', { id: this.shown, ...given });
  }

  async #work(ask: () => Promise<ComparisonSummary>): Promise<void> {
    this.failure = undefined;
    this.beginning = true;
    try {
      const begun = await ask();
      this.list = [begun, ...this.list.filter(({ id }) => id !== begun.id)];
      this.open(begun.id);
    } catch (error) {
      this.failure = failureOf(error);
    } finally {
      this.beginning = false;
    }
  }
}
