/** Everything that the page knows, and where it came from; made once. */
import type { ModelChoice } from '../../schema/values.js';
import { getContext, setContext } from 'svelte';
import type { AppInfo, AppSettings, Workspace } from '../../shared/app.js';
import type { Bridge, EventPayload } from '../../shared/contract.js';
import type { JobRequest } from '../../shared/job-settings.js';
import type { ModelDescription } from '../../schema/blocks.js';
import type { RunSummary } from '../../schema/runs.js';
import { isStep, type Step } from '../../shared/steps.js';
import { Requests, failureOf } from '../bridge/requests.svelte.js';
import { BudgetState } from './budget.svelte.js';
import { CompareState } from './compare.svelte.js';
import { ComparisonsState } from './comparisons.svelte.js';
import { Descriptions } from './descriptions.svelte.js';
import { EstimateState } from './estimate.svelte.js';
import { ExportState } from './export.svelte.js';
import { JobView } from './job.svelte.js';
import { ModelState } from './model.svelte.js';
import { ReportState } from './report.svelte.js';
import { ResultState } from './result.svelte.js';
import { RunsState } from './runs.svelte.js';
import { TaskState } from './task.svelte.js';

export class Session {
  readonly requests: Requests;
  readonly model: ModelState;
  readonly task: TaskState;
  readonly budget: BudgetState;
  readonly estimate: EstimateState;
  readonly job: JobView;
  readonly result: ResultState;
  readonly compare: CompareState;
  readonly comparisons: ComparisonsState;
  readonly export: ExportState;
  readonly report: ReportState;
  readonly runs: RunsState;

  info = $state.raw<AppInfo>();
  settings = $state.raw<AppSettings>();
  step = $state<Step>('model');
  ready = $state(false);
  /** A sentence about something that went wrong outside any step. */
  notice = $state<string>();

  constructor(bridge: Bridge) {
    this.requests = new Requests(bridge);
    const remember = (change: Partial<Workspace>) => this.#remember(change);
    const descriptions = new Descriptions(this.requests);
    this.model = new ModelState(this.requests, remember, descriptions);
    this.budget = new BudgetState(this.requests, remember, this.model);
    this.task = new TaskState(this.requests, remember, this.model, this.budget);
    this.estimate = new EstimateState(this.requests, () => this.jobSettings);
    this.result = new ResultState(this.requests, remember, descriptions);
    this.runs = new RunsState(this.requests);
    this.job = new JobView(
      this.requests,
      descriptions,
      (run) => void this.result.refresh(run),
      (run, blocks) => void this.result.open(run, blocks),
    );
    this.compare = new CompareState(this.requests, remember, this.result);
    this.comparisons = new ComparisonsState(this.requests, this.result);
    this.report = new ReportState(this.requests, this.result);
    this.export = new ExportState(this.requests, this.result);
  }

  async start(): Promise<void> {
    const { requests } = this;
    this.#listen();
    try {
      const [info, settings, workspace] = await Promise.all([
        requests.ask('app.info'),
        requests.ask('settings.get'),
        requests.ask('workspace.get'),
      ]);
      this.info = info;
      this.settings = settings;
      this.step = workspace.step;
      this.budget.choices = workspace.job;
      this.compare.prompts = workspace.prompts;
      this.compare.prompt = workspace.prompts[0] ?? '';
      this.task.choice = workspace.task;
      await Promise.all([this.budget.start(), this.job.start(), this.runs.start(), this.comparisons.start()]);
      if (workspace.run !== undefined) void this.result.open(workspace.run, workspace.point);
      else if (this.job.state.run) void this.result.open(this.job.state.run.id);
      this.ready = true;
      void this.attempt(() => this.budget.findProviders());
      await Promise.all([
        this.model.start(workspace.model).then(() => this.task.reload()),
        this.task.listRecent(),
      ]);
    } catch (error) {
      this.notice = failureOf(error).message;
      this.ready = true;
    }
  }

  go(step: Step): void {
    this.step = step;
    this.#remember({ step });
    if (step === 'runs') void this.attempt(() => this.runs.refresh());
  }

  /** Why slimming cannot start now; undefined if it can. */
  get obstacle(): 'reading' | 'model' | 'tokenizer' | 'task' | 'columns' | 'running' | undefined {
    if (this.job.active) return 'running';
    if (this.model.description.loading) return 'reading';
    if (!this.model.description.value) return 'model';
    if (!this.model.description.value.tokenizer.found) return 'tokenizer';
    const preview = this.task.preview.value;
    if (!preview) return this.task.preview.loading ? 'reading' : 'task';
    return preview.state === 'columns-needed' ? 'columns' : undefined;
  }

  /** Whether Calibrate shows this session's job: while it runs, and until another run is opened. */
  get showsJob(): boolean {
    const { run } = this.job.state;
    const { wanted } = this.result;
    return run !== undefined && (this.job.active || wanted === undefined || wanted === run.id);
  }

  /** The run that the step is about; undefined on the steps that are about what is chosen. */
  get shownRun(): RunSummary | undefined {
    const opened = this.result.details.value?.summary;
    if (this.step === 'calibrate') return this.showsJob ? this.job.state.run : opened;
    return this.step === 'compare' || this.step === 'export' ? opened : undefined;
  }

  /** The model that the step is about: of a run its own, else the chosen one. */
  get shownModel(): ModelDescription | undefined {
    if (!this.shownRun) return this.model.description.value;
    return this.step === 'calibrate' && this.showsJob ? this.job.model : this.result.model;
  }

  async chooseModel(what: 'folder' | 'file'): Promise<void> {
    const path = await this.model.choose(what);
    if (path !== undefined) await this.openModel({ model: path });
  }

  /** Converts the model that is offered, and the task as that model sees it. */
  async convertModel(): Promise<void> {
    await this.model.convert();
    await this.task.reload();
  }

  /** Another model, and the task as that model sees it. */
  async openModel(choice: ModelChoice): Promise<void> {
    void this.attempt(() => this.estimate.stop());
    await this.model.open(choice);
    await this.task.reload();
  }

  /** The one click: starts the job and shows it. */
  async slim(): Promise<void> {
    const settings = this.jobSettings;
    if (!settings || this.obstacle !== undefined) return;
    this.go('calibrate');
    await this.job.begin(settings);
  }

  get jobSettings(): JobRequest | undefined {
    const model = this.model.choice;
    const task = this.task.choice;
    return model && task ? { ...model, ...task, ...this.budget.asked } : undefined;
  }

  /** Shows a run again, with the model and the task that it was made with. */
  async openRun(run: string): Promise<void> {
    const known = this.runs.list.find(({ id }) => id === run);
    // Where it leads is known before all of it is read.
    this.go(known && known.curve.length > 0 ? 'compare' : 'calibrate');
    const details = await this.result.open(run);
    if (!details) return;
    if (!details.report && this.step === 'compare') this.go('calibrate');
    const { model, modelFile, dataset, columns, textUnit } = details.summary.settings;
    if (!this.model.isChosen({ model, modelFile })) await this.openModel({ model, modelFile });
    if (dataset !== this.task.choice?.dataset) await this.task.open(dataset, columns, textUnit);
  }

  /** Deletes a run; one that is looked at is not shown any more. */
  async removeRun(run: string): Promise<void> {
    await this.runs.remove(run);
    this.result.forget(run);
  }

  async changeSettings(change: Partial<AppSettings>): Promise<void> {
    await this.attempt(async () => (this.settings = await this.requests.ask('settings.set', change)));
  }

  /** For acts whose failure only needs to be told. */
  async attempt(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind !== 'cancelled') this.notice = failure.message;
    }
  }

  #listen(): void {
    const { requests } = this;
    requests.on('settings.changed', (settings) => (this.settings = settings));
    requests.on('menu.chosen', ({ command }) => this.#chooseFromMenu(command));
  }

  #chooseFromMenu(command: EventPayload<'menu.chosen'>['command']): void {
    if (isStep(command)) this.go(command);
    else if (command === 'start-job') void this.slim();
    else if (command === 'stop-job') void this.job.stop();
    else if (command === 'open-task') {
      this.go('task');
      void this.attempt(() => this.task.choose());
    } else {
      this.go('model');
      void this.attempt(() => this.chooseModel(command === 'open-model' ? 'folder' : 'file'));
    }
  }

  #remember(change: Partial<Workspace>): void {
    void this.attempt(() => this.requests.ask('workspace.set', change));
  }
}

const key = Symbol('session');

export function provideSession(session: Session): void {
  setContext(key, session);
}

export function useSession(): Session {
  return getContext<Session>(key);
}
