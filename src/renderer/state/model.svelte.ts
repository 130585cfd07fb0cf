/** Step 1: which model is chosen, and which others there are. */
import type { Workspace } from '../../shared/app.js';
import type { Failure } from '../../shared/contract.js';
import type { KnownModel, OpenedModel } from '../../shared/model.js';
import type { ModelChoice } from '../../schema/values.js';
import type { Requests } from '../bridge/requests.svelte.js';
import { modelKey, type Descriptions } from './descriptions.svelte.js';
import { Loadable } from './loadable.svelte.js';
import { LoadedFor } from './loaded-for.svelte.js';

export class ModelState {
  choice = $state.raw<ModelChoice>();
  readonly description = new LoadedFor<OpenedModel>(() => this.choice && modelKey(this.choice));
  /** What was to be opened and could not be, while the model before it stays open. */
  refused = $state.raw<{ choice: ModelChoice; failure: Failure }>();
  readonly recent = new Loadable<KnownModel[]>();
  readonly found = new Loadable<KnownModel[]>();
  readonly #requests: Requests;
  readonly #remember: (change: Partial<Workspace>) => void;
  readonly #descriptions: Descriptions;

  constructor(
    requests: Requests,
    remember: (change: Partial<Workspace>) => void,
    descriptions: Descriptions,
  ) {
    this.#requests = requests;
    this.#remember = remember;
    this.#descriptions = descriptions;
  }

  async start(choice: ModelChoice | undefined): Promise<void> {
    void this.found.load(() => this.#requests.ask('model.found'));
    if (choice) await this.#read(choice);
    await this.recent.load(() => this.#requests.ask('model.recent'));
  }

  async open({ model, modelFile }: ModelChoice): Promise<void> {
    const choice = { model, modelFile };
    const before = this.description.value && this.choice;
    if (await this.#read(choice)) this.#remember({ model: choice });
    else if (before && this.isChosen(choice)) await this.#goBack(before);
    await this.recent.load(() => this.#requests.ask('model.recent'));
  }

  isChosen(choice: ModelChoice): boolean {
    return this.choice !== undefined && modelKey(this.choice) === modelKey(choice);
  }

  async choose(what: 'folder' | 'file'): Promise<string | undefined> {
    return (await this.#requests.ask('model.choose', { what })).path;
  }

  async forget({ model, modelFile }: KnownModel): Promise<void> {
    await this.recent.load(() => this.#requests.ask('model.forget', { model, modelFile }));
  }

  /** Nobody closes a model by opening another one that is none. */
  async #goBack(before: ModelChoice): Promise<void> {
    const { failure } = this.description;
    const choice = this.choice!;
    if (modelKey(before) === modelKey(choice)) return;
    await this.#read(before);
    if (failure && this.isChosen(before)) this.refused = { choice, failure };
  }

  async #read(choice: ModelChoice): Promise<OpenedModel | undefined> {
    this.choice = choice;
    this.refused = undefined;
    return await this.description.load(() => this.#descriptions.read(choice));
  }
}
