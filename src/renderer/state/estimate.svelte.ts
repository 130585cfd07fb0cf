/** What a job with the present settings will take on this machine. */
import type { JobEstimate } from '../../schema/results.js';
import type { JobRequest } from '../../shared/job-settings.js';
import type { Requests } from '../bridge/requests.svelte.js';
import { LoadedFor } from './loaded-for.svelte.js';

export class EstimateState extends LoadedFor<JobEstimate> {
  readonly #requests: Requests;
  readonly #settings: () => JobRequest | undefined;

  constructor(requests: Requests, settings: () => JobRequest | undefined) {
    super(() => JSON.stringify(settings()));
    this.#requests = requests;
    this.#settings = settings;
  }

  async stop(): Promise<void> {
    if (this.loading) await this.#requests.ask('job.stopEstimate');
  }

  async measure(): Promise<void> {
    const settings = this.#settings();
    if (settings) await this.load(() => this.#requests.ask('job.estimate', settings));
  }
}
