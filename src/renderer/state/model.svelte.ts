/** Step 1: which model, and what it is made of. */
import type { ModelChoice } from '../../schema/values.js';
import type { OpenedModel } from '../../shared/model.js';
import type { Workspace } from '../../shared/app.js';
import type { KnownModel } from '../../shared/model.js';
import type { Requests } from '../bridge/requests.svelte.js';
import { Loadable } from './loadable.svelte.js';

export class ModelState {
  choice = $state.raw<ModelChoice>();
  readonly description = new Loadable<OpenedModel>();
  readonly recent = new Loadable<KnownModel[]>();
  readonly found = new Loadable<KnownModel[]>();
  readonly #requests: Requests;
  readonly #remember: (change: Partial<Workspace>) => void;

  constructor(requests: Requests, remember: (change: Partial<Workspace>) => void) {
    this.#requests = requests;
    this.#remember = remember;
  }

  async start(choice: ModelChoice | undefined): Promise<void> {
    void this.found.load(() => this.#requests.ask('model.found'));
    if (choice) await this.#read(choice);
    await this.recent.load(() => this.#requests.ask('model.recent'));
  }

  async open(choice: ModelChoice): Promise<void> {
    await this.#read(choice);
    if (this.description.value) this.#remember({ model: choice });
    await this.recent.load(() => this.#requests.ask('model.recent'));
  }

  async choose(what: 'folder' | 'file'): Promise<string | undefined> {
    return (await this.#requests.ask('model.choose', { what })).path;
  }

  async forget({ model, modelFile }: KnownModel): Promise<void> {
    const choice = { model, ...(modelFile === undefined ? {} : { modelFile }) };
    await this.recent.load(() => this.#requests.ask('model.forget', choice));
  }

  async #read(choice: ModelChoice): Promise<void> {
    this.choice = choice;
    await this.description.load(() => this.#requests.ask('model.open', choice));
  }
}
