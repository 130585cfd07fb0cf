/** A report of the point that is looked at, as a file. */
import type { RequestOutput } from '../../shared/contract.js';
import type { Requests } from '../bridge/requests.svelte.js';
import { LoadedFor } from './loaded-for.svelte.js';
import type { ResultState } from './result.svelte.js';

export class ReportState {
  readonly written: LoadedFor<RequestOutput<'report.write'>>;
  readonly #requests: Requests;
  readonly #result: ResultState;

  constructor(requests: Requests, result: ResultState) {
    this.#requests = requests;
    this.#result = result;
    this.written = new LoadedFor(() => result.pointKey);
  }

  /** Where the user says. */
  async save(): Promise<void> {
    const summary = this.#result.details.value?.summary;
    if (!summary) return;
    const name = `${summary.modelName}-${summary.datasetName}-report.html`;
    const { path } = await this.#requests.ask('report.choose', { name });
    if (path !== undefined) await this.#write(path);
  }

  /** Beside the exported model, whose README then names it. */
  async saveBeside(folder: string): Promise<void> {
    const separator = folder.includes('\\') ? '\\' : '/';
    await this.#write(`${folder}${separator}report.html`);
  }

  async reveal(file: string): Promise<void> {
    await this.#requests.ask('export.reveal', { folder: file });
  }

  async #write(file: string): Promise<void> {
    const { target } = this.#result;
    if (target) await this.written.load(() => this.#requests.ask('report.write', { ...target, file }));
  }
}
