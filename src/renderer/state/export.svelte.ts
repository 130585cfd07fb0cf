/** Step 6: the slimmed model as a folder. */
import type { ExportPreview, ExportResult } from '../../schema/results.js';
import type { ExportMode } from '../../schema/settings.js';
import type { Requests } from '../bridge/requests.svelte.js';
import { Loadable } from './loadable.svelte.js';
import type { ResultState } from './result.svelte.js';

export class ExportState {
  parent = $state('');
  name = $state('');
  mode = $state<ExportMode>('folded');
  readonly preview = new Loadable<ExportPreview>();
  readonly written = new Loadable<ExportResult>();
  readonly #requests: Requests;
  readonly #result: ResultState;
  #suggestedFor = '';

  constructor(requests: Requests, result: ResultState) {
    this.#requests = requests;
    this.#result = result;
  }

  /** Fills in a folder and a name, once for every point. */
  async suggest(): Promise<void> {
    const target = this.#result.target;
    const wanted = JSON.stringify(target);
    if (!target || wanted === this.#suggestedFor) return;
    this.#suggestedFor = wanted;
    this.written.clear();
    const { parent, name } = await this.#requests.ask('export.suggest', target);
    if (this.parent === '') this.parent = parent;
    this.name = name;
  }

  async chooseParent(): Promise<void> {
    const { path } = await this.#requests.ask('export.choose');
    if (path !== undefined) this.parent = path;
  }

  async look(): Promise<void> {
    const request = this.#request;
    if (!request) return this.preview.clear();
    await this.preview.load(() => this.#requests.ask('export.preview', request));
  }

  async write(): Promise<void> {
    const request = this.#request;
    if (request) await this.written.load(() => this.#requests.ask('export.write', request));
  }

  async reveal(folder: string): Promise<void> {
    await this.#requests.ask('export.reveal', { folder });
  }

  get #request() {
    const target = this.#result.target;
    const name = this.name.trim();
    if (!target || this.parent === '' || name === '') return undefined;
    return { ...target, parent: this.parent, name, mode: this.mode };
  }
}
