/** Step 6: the slimmed model as a folder. */
import type { ExportPreview, ExportResult } from '../../schema/results.js';
import type { ExportMode } from '../../schema/settings.js';
import type { Requests } from '../bridge/requests.svelte.js';
import { LoadedFor } from './loaded-for.svelte.js';
import type { ResultState } from './result.svelte.js';

export class ExportState {
  parent = $state('');
  name = $state('');
  mode = $state<ExportMode>('folded');
  readonly preview: LoadedFor<ExportPreview>;
  readonly written: LoadedFor<ExportResult>;
  readonly #requests: Requests;
  readonly #result: ResultState;
  /** The point that a name was suggested for. */
  #suggestedFor: string | undefined;

  constructor(requests: Requests, result: ResultState) {
    this.#requests = requests;
    this.#result = result;
    this.preview = new LoadedFor(() => result.pointKey);
    this.written = new LoadedFor(() => result.pointKey);
  }

  /** Fills in a folder and a name, once for every point; what was typed or chosen meanwhile stays. */
  async suggest(): Promise<void> {
    const { target, pointKey } = this.#result;
    if (!target || pointKey === this.#suggestedFor) return;
    this.#suggestedFor = pointKey;
    const before = this.name;
    const { parent, name } = await this.#requests.ask('export.suggest', target);
    if (pointKey !== this.#suggestedFor) return;
    if (this.parent === '') this.parent = parent;
    if (this.name === before) this.name = name;
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
    const { target } = this.#result;
    const name = this.name.trim();
    if (!target || this.parent === '' || name === '') return undefined;
    return { ...target, parent: this.parent, name, mode: this.mode };
  }
}
