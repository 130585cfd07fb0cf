/** Step 1: which model is chosen, and which others there are. */
import type { Workspace } from '../../shared/app.js';
import type { EventPayload, Failure } from '../../shared/contract.js';
import type { ForeseenImport } from '../../schema/results.js';
import type { KnownModel, OpenedModel } from '../../shared/model.js';
import type { ModelChoice } from '../../schema/values.js';
import { RequestError, type Requests } from '../bridge/requests.svelte.js';
import { modelKey, type Descriptions } from './descriptions.svelte.js';
import { Loadable } from './loadable.svelte.js';
import { LoadedFor } from './loaded-for.svelte.js';

type Progress = EventPayload<'model.converting'>;

export class ModelState {
  choice = $state.raw<ModelChoice>();
  readonly description = new LoadedFor<OpenedModel>(() => this.choice && modelKey(this.choice));
  /** What was to be opened and could not be, while the model before it stays open. */
  refused = $state.raw<{ choice: ModelChoice; failure: Failure }>();
  /** What was to be opened and has to be converted first, which nobody has agreed to yet. */
  offered = $state.raw<{ choice: ModelChoice; conversion: ForeseenImport }>();
  /** How far the conversion of the chosen model is. */
  converting = $state.raw<Progress>();
  readonly recent = new Loadable<KnownModel[]>();
  readonly found = new Loadable<KnownModel[]>();
  readonly #requests: Requests;
  readonly #remember: (change: Partial<Workspace>) => void;
  readonly #descriptions: Descriptions;
  /** The one to go back to. */
  #lastOpen: ModelChoice | undefined;
  /** The one that was still being read when another was asked for: rather this one, if that one is none. */
  #interrupted: ModelChoice | undefined;
  /** What the next start of the app opens. */
  #remembered: string | undefined;
  /** Counts what was opened. */
  #turn = 0;

  constructor(
    requests: Requests,
    remember: (change: Partial<Workspace>) => void,
    descriptions: Descriptions,
  ) {
    this.#requests = requests;
    this.#remember = remember;
    this.#descriptions = descriptions;
    requests.on('model.converting', (progress) => {
      if (progress.model === this.choice?.model && this.description.loading) this.converting = progress;
    });
  }

  async start(choice: ModelChoice | undefined): Promise<void> {
    void this.found.load(() => this.#requests.ask('model.found'));
    this.#remembered = choice && modelKey(choice);
    if (choice) await this.open(choice);
    else await this.#listRecent();
  }

  /** Opens a model, or offers to convert it. Nobody closes a model by opening another one that is none. */
  async open({ model, modelFile }: ModelChoice): Promise<void> {
    const choice = { model, modelFile };
    const turn = (this.#turn += 1);
    await this.#stopConverting();
    let conversion: ForeseenImport | undefined;
    await this.#read(choice, async () => {
      conversion = await this.#descriptions.conversionOf(choice);
      return await this.#readUnless(conversion, choice);
    });
    if (conversion && turn === this.#turn) this.offered = { choice, conversion };
    await this.#listRecent();
  }

  /** Converts what is offered, and opens it. */
  async convert(): Promise<void> {
    if (!this.offered) return;
    const { choice } = this.offered;
    await this.#read(choice, () => this.#descriptions.read(choice));
    await this.#listRecent();
  }

  async stop(): Promise<void> {
    if (this.choice && this.description.loading) await this.#requests.ask('model.stop', this.choice);
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

  async #listRecent(): Promise<void> {
    await this.recent.load(() => this.#requests.ask('model.recent'));
  }

  /** A newer wish ends the older one. */
  async #stopConverting(): Promise<void> {
    if (this.converting) await this.stop();
  }

  /** @throws RequestError 'cancelled' where it would have to be converted, which is asked for and not done unasked */
  async #readUnless(conversion: ForeseenImport | undefined, choice: ModelChoice): Promise<OpenedModel> {
    if (conversion) throw new RequestError({ kind: 'cancelled', message: '' });
    return await this.#descriptions.read(choice);
  }

  async #read(choice: ModelChoice, ask: () => Promise<OpenedModel>): Promise<void> {
    if (this.choice && this.description.loading && !this.isChosen(choice)) this.#interrupted = this.choice;
    this.choice = choice;
    this.refused = undefined;
    this.offered = undefined;
    this.converting = undefined;
    const description = await this.description.load(ask);
    if (!this.isChosen(choice)) return;
    this.converting = undefined;
    if (description) {
      this.#lastOpen = choice;
      this.#interrupted = undefined;
      if (modelKey(choice) !== this.#remembered) this.#remember({ model: choice });
      this.#remembered = modelKey(choice);
    } else if (this.description.failure) await this.#goBack(choice);
  }

  /** To the model before, where there was one; why is told, unless somebody wanted it so. */
  async #goBack(from: ModelChoice): Promise<void> {
    const { failure } = this.description;
    const before = this.#interrupted ?? this.#lastOpen;
    this.#interrupted = undefined;
    if (!before || modelKey(before) === modelKey(from)) {
      if (failure?.kind !== 'cancelled') return;
      this.choice = undefined;
      this.description.clear();
      return;
    }
    const turn = this.#turn;
    const known = this.#descriptions.of(before);
    await this.#read(before, async () => {
      if (known) return known;
      return await this.#readUnless(await this.#descriptions.conversionOf(before), before);
    });
    const isTold = failure !== undefined && failure.kind !== 'cancelled';
    if (isTold && this.description.value && turn === this.#turn) this.refused = { choice: from, failure };
  }
}
