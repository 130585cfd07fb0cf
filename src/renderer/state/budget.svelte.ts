/** Step 3: what the job is told, and what it will take. */
import type { BlockKind } from '../../schema/blocks.js';
import type { JobEstimate } from '../../schema/results.js';
import type { Budget, JobChoices } from '../../schema/settings.js';
import type { Workspace } from '../../shared/app.js';
import type { JobOptions, JobRequest, ProviderDescription } from '../../shared/job-settings.js';
import type { Requests } from '../bridge/requests.svelte.js';
import { Loadable } from './loadable.svelte.js';

export type PresetName = JobOptions['presets'][number]['name'];

const FALLBACK_BUDGET: Budget = { kind: 'blocks', blocks: 4 };

export class BudgetState {
  /** What the user has set; everything else is the engine's default. */
  choices = $state.raw<JobChoices>({});
  options = $state.raw<JobOptions>();
  providers = $state.raw<ProviderDescription[]>([]);
  readonly estimate = new Loadable<JobEstimate>();
  /** The settings of the estimate that is shown. */
  estimated = $state.raw<string>();
  readonly #requests: Requests;
  readonly #remember: (change: Partial<Workspace>) => void;

  constructor(requests: Requests, remember: (change: Partial<Workspace>) => void) {
    this.#requests = requests;
    this.#remember = remember;
  }

  async start(): Promise<void> {
    this.options = await this.#requests.ask('job.options');
  }

  /** Trying out the providers takes a moment. */
  async findProviders(): Promise<void> {
    this.providers = await this.#requests.ask('providers.list');
  }

  /** Choices with the defaults filled in. */
  get all(): JobChoices {
    return { ...this.options?.defaults, ...this.choices };
  }

  get budget(): Budget {
    return this.all.budget ?? FALLBACK_BUDGET;
  }

  get kinds(): BlockKind[] {
    const blocks = this.all.kind ?? 'attention';
    return blocks === 'both' ? ['attention', 'mlp'] : [blocks];
  }

  /** The preset whose choices are all in force. */
  get preset(): PresetName | undefined {
    const all = this.all as Record<string, unknown>;
    return this.options?.presets.find(({ choices }) =>
      Object.entries(choices).every(([name, value]) => JSON.stringify(all[name]) === JSON.stringify(value)),
    )?.name;
  }

  change(change: Partial<JobChoices>): void {
    const merged = { ...this.choices, ...change };
    this.choices = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
    this.#remember({ job: this.choices });
  }

  usePreset(name: PresetName): void {
    const preset = this.options?.presets.find((candidate) => candidate.name === name);
    if (preset) this.change(preset.choices);
  }

  async measure(settings: JobRequest): Promise<void> {
    this.estimated = JSON.stringify(settings);
    await this.estimate.load(() => this.#requests.ask('job.estimate', settings));
  }
}
