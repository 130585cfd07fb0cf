/** Step 2: which dataset, and how the model will see it. */
import { SHOWN_IN_PREVIEW } from '../../shared/task.js';
import type { TextUnit } from '../../schema/columns.js';
import type { TaskPreview } from '../../schema/results.js';
import type { Workspace } from '../../shared/app.js';
import type { Failure, RequestOutput } from '../../shared/contract.js';
import type { Requests } from '../bridge/requests.svelte.js';
import type { BudgetState } from './budget.svelte.js';
import { modelKey } from './descriptions.svelte.js';
import { LoadedFor } from './loaded-for.svelte.js';
import type { ModelState } from './model.svelte.js';

export class TaskState {
  choice = $state.raw<Workspace['task']>();
  /** Belongs to the model and the dataset; what else it depends on may change while it is shown. */
  readonly preview = new LoadedFor<TaskPreview>(() => this.#previewKey);
  /** What was to be opened and could not be, while the task before it stays open. */
  refused = $state.raw<{ dataset: string; failure: Failure }>();
  recent = $state.raw<RequestOutput<'task.recent'>>([]);
  readonly #requests: Requests;
  readonly #remember: (change: Partial<Workspace>) => void;
  readonly #model: ModelState;
  readonly #budget: BudgetState;

  constructor(
    requests: Requests,
    remember: (change: Partial<Workspace>) => void,
    model: ModelState,
    budget: BudgetState,
  ) {
    this.#requests = requests;
    this.#remember = remember;
    this.#model = model;
    this.#budget = budget;
  }

  async listRecent(): Promise<void> {
    this.recent = await this.#requests.ask('task.recent');
  }

  async choose(): Promise<void> {
    const { path } = await this.#requests.ask('task.choose');
    if (path !== undefined) await this.open(path);
  }

  async paste(text: string): Promise<void> {
    const { path } = await this.#requests.ask('task.paste', { text });
    await this.open(path);
  }

  async open(dataset: string, columns?: string, textUnit?: TextUnit): Promise<void> {
    const before = this.preview.value && this.choice;
    const choice = { dataset, columns, textUnit };
    this.choice = choice;
    await this.reload();
    const { failure } = this.preview;
    if (this.choice === choice && failure && before && before.dataset !== dataset) {
      this.choice = before;
      await this.reload();
      if (this.choice === before) this.refused = { dataset, failure };
    }
    this.#remember({ task: this.choice });
    await this.listRecent();
  }

  /** Reads the dataset again, after a change of the model or of what the preview depends on. */
  async reload(): Promise<void> {
    const model = this.#model.choice;
    const { choice } = this;
    this.refused = undefined;
    if (!model || !choice || !this.#model.description.value) {
      this.preview.clear();
      return;
    }
    const { choices } = this.#budget;
    const shown = Object.fromEntries(SHOWN_IN_PREVIEW.map((name) => [name, choices[name]]));
    await this.preview.load(() =>
      this.#requests.ask('task.open', {
        ...model,
        ...choice,
        ...shown,
      }),
    );
  }

  get #previewKey(): string | undefined {
    const model = this.#model.choice;
    return model && this.choice && JSON.stringify([modelKey(model), this.choice.dataset]);
  }
}
