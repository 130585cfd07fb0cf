/** Step 3: what the job is told. */
import type { Workspace } from '../../shared/app.js';
import type { Budget, JobChoices } from '../../schema/settings.js';
import type { JobOptions, ProviderDescription } from '../../shared/job-settings.js';
import type { Requests } from '../bridge/requests.svelte.js';
import type { KindChoice } from '../curve/kinds.js';
import { largestBudget } from '../curve/savings.js';
import type { ModelState } from './model.svelte.js';

export type PresetName = JobOptions['presets'][number]['name'];

export class BudgetState {
  /** What the user has set; everything else is the engine's default. */
  choices = $state.raw<JobChoices>({});
  /** The engine's defaults, and what else there is to choose from. */
  options = $state.raw<JobOptions>();
  providers = $state.raw<ProviderDescription[]>([]);
  readonly #requests: Requests;
  readonly #remember: (change: Partial<Workspace>) => void;
  readonly #model: ModelState;

  constructor(requests: Requests, remember: (change: Partial<Workspace>) => void, model: ModelState) {
    this.#requests = requests;
    this.#remember = remember;
    this.#model = model;
  }

  async start(): Promise<void> {
    this.options = await this.#requests.ask('job.options');
  }

  /** Trying out the providers takes a moment. */
  async findProviders(): Promise<void> {
    this.providers = await this.#requests.ask('providers.list');
  }

  /** Which blocks may be skipped. */
  get kind(): KindChoice | undefined {
    return this.#wanted.kind;
  }

  /** The most blocks that may be skipped of the chosen model; undefined while that is not known. */
  get largest(): number | undefined {
    const model = this.#model.description.value;
    return model && Math.max(1, largestBudget(model, this.kind));
  }

  /** The budget with no more blocks than the model lets go; undefined until the defaults are there. */
  get budget(): Budget | undefined {
    const { budget } = this.#wanted;
    const { largest } = this;
    if (budget?.kind !== 'blocks' || largest === undefined || budget.blocks <= largest) return budget;
    return { ...budget, blocks: largest };
  }

  /** What a job is told: what the user has set, and a default budget only where it is too large for the model. */
  get asked(): JobChoices {
    return this.budget === this.#wanted.budget ? this.choices : { ...this.choices, budget: this.budget };
  }

  /** What a job is told with the defaults filled in. */
  get all(): JobChoices {
    return { ...this.options?.defaults, ...this.asked };
  }

  /** The final training as it will be: what the user has set of it, else what the granularity of the scales goes with. */
  get training(): NonNullable<JobChoices['training']> {
    const { scales } = this.all;
    return { ...(scales && this.options?.training[scales]), ...this.choices.training };
  }

  /** The preset whose choices are all in force. */
  get preset(): PresetName | undefined {
    const all = JSON.stringify(this.#ofPresets(this.all));
    return this.options?.presets.find(
      ({ choices }) => JSON.stringify(this.#ofPresets({ ...this.options?.defaults, ...choices })) === all,
    )?.name;
  }

  change(change: Partial<JobChoices>): void {
    const merged = { ...this.choices, ...change };
    this.choices = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
    this.#remember({ job: this.choices });
  }

  /** What else was set stays, the number of blocks included: it is the user's for as long as a model has them. */
  chooseKind(kind: KindChoice): void {
    this.change({ kind });
  }

  /** Back to the defaults in all but what the page asks for outside of its advanced settings. */
  resetAdvanced(): void {
    const { budget, kind, provider, responses } = this.choices;
    this.choices = {};
    this.change({ budget, kind, provider, responses });
  }

  usePreset(name: PresetName): void {
    const preset = this.options?.presets.find((candidate) => candidate.name === name);
    // What another preset has set goes back to its default.
    if (preset) this.change({ ...this.#ofPresets({}), ...preset.choices });
  }

  /** What any preset sets, as it is among these choices: undefined where it is not. */
  #ofPresets(choices: JobChoices): JobChoices {
    const names = new Set(this.options?.presets.flatMap((preset) => Object.keys(preset.choices)));
    return Object.fromEntries([...names].map((name) => [name, choices[name as keyof JobChoices]]));
  }

  get #wanted(): JobChoices {
    return { ...this.options?.defaults, ...this.choices };
  }
}
