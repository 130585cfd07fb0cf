/** Makes the cuts that a run asks for, each once: what lies in the run's folder already is not made again. */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { askedCuts, type Aim, type CutKind, type MadeCut, type TriedStep } from '../../../schema/cuts.js';
import type { JobSettings } from '../../../schema/settings.js';
import type { Run } from '../../../schema/runs.js';
import { writeKept } from '../../runs/kept-json.js';
import type { JobContext } from '../context.js';
import { CutStatistics } from './cut-statistics.js';
import { makeCut } from './cuts.js';
import type { MemoryPlanner } from './memory-plan.js';
import { modelBytes } from './model-files.js';
import {
  calledAs,
  cutFolder,
  cutRecord,
  keptCutOf,
  keptPlan,
  planFile,
  type KeptCut,
  type RunModels,
} from './run-models.js';
import { planCuts, vocabularyForAim } from './plan-cuts.js';
import { openModel, type SourceModel } from './source-model.js';
import type { PreparedTask } from './task.js';
import { TimeLeft } from './time-left.js';

export class ModelCutter {
  readonly #run: Run;
  readonly #original: SourceModel;
  readonly #context: JobContext;
  readonly #planner: MemoryPlanner;
  readonly #made: MadeCut[] = [];

  constructor(run: Run, original: SourceModel, context: JobContext, planner: MemoryPlanner) {
    this.#run = run;
    this.#original = original;
    this.#context = context;
    this.#planner = planner;
  }

  /** What an aim asks for is decided once, and then part of the run's settings. */
  #decide(settings: Pick<JobSettings, 'cuts'> & Partial<Pick<JobSettings, 'budget'>>): void {
    this.#context.store.update(this.#run, { settings: { ...this.#run.settings, ...settings } });
  }

  async #plan(
    aim: Aim,
    reference: SourceModel,
    task: PreparedTask,
    statistics: CutStatistics,
  ): Promise<TriedStep[]> {
    const kept = keptPlan(this.#runFolder);
    if (kept) return kept;
    this.#context.on({ type: 'stage', stage: 'planning the cuts' });
    const { settings, steps } = await planCuts({
      aim,
      settings: this.#run.settings,
      original: this.#original,
      reference,
      task,
      statistics,
      scratch: path.dirname(planFile(this.#runFolder)),
      runOptions: this.#planner.forPasses(reference.decoder),
      context: this.#context,
    });
    this.#decide(settings);
    writeKept(planFile(this.#runFolder), steps);
    return steps;
  }

  /** @returns the original with the tokens that the run keeps; the original itself where it keeps all */
  async reference(): Promise<SourceModel> {
    const { aim } = this.#run.settings;
    const isPlanned = keptPlan(this.#runFolder) !== undefined;
    if (aim && !isPlanned) this.#decide({ cuts: await vocabularyForAim(aim, this.#original) });
    return await this.#cutAll(
      this.#asked.filter((kind) => kind === 'vocabulary'),
      this.#original,
    );
  }

  /** All other cuts. @param task the rows that decide what can be spared, for the reference */
  async models(reference: SourceModel, task: PreparedTask): Promise<RunModels> {
    const { aim } = this.#run.settings;
    const statistics = this.#statisticsOf(reference, task);
    const plan = aim && (await this.#plan(aim, reference, task, statistics));
    const kinds = this.#asked.filter((kind) => kind !== 'vocabulary');
    const model = await this.#cutAll(kinds, reference, (before) =>
      before === reference ? statistics : this.#statisticsOf(before, task),
    );
    // Nobody asks for what was in between.
    for (const kind of kinds.slice(0, -1)) {
      rmSync(cutFolder(this.#runFolder, kind), { recursive: true, force: true });
    }
    return { original: this.#original, reference, model, cuts: this.#made, ...(plan && { plan }) };
  }

  get #asked(): CutKind[] {
    return askedCuts(this.#run.settings.cuts);
  }

  get #runFolder(): string {
    return this.#context.store.folderOf(this.#run.id);
  }

  /** From the last one that is made already on. */
  async #cutAll(
    kinds: readonly CutKind[],
    from: SourceModel,
    statisticsOf?: (model: SourceModel) => CutStatistics,
  ): Promise<SourceModel> {
    const kept = kinds.map((kind) => keptCutOf(this.#runFolder, kind));
    const last = kept.findLastIndex((cut) => cut !== undefined);
    let model = last < 0 ? from : await this.#open(kinds[last]!, kept[last]!.modelFile);
    this.#made.push(...kept.slice(0, last + 1).map((cut) => cut!.cut));
    for (const kind of kinds.slice(last + 1)) {
      model = await this.#cut(kind, model, statisticsOf?.(model));
    }
    return model;
  }

  async #open(kind: CutKind, modelFile?: string): Promise<SourceModel> {
    const folder = cutFolder(this.#runFolder, kind);
    return calledAs(this.#original, await openModel(folder, modelFile, this.#run.settings.memory));
  }

  #statisticsOf(model: SourceModel, task: PreparedTask): CutStatistics {
    const runOptions = this.#planner.forPasses(model.decoder);
    return new CutStatistics(model, task, runOptions, this.#context.signal);
  }

  async #cut(
    kind: CutKind,
    before: SourceModel,
    statistics: CutStatistics | undefined,
  ): Promise<SourceModel> {
    const folder = cutFolder(this.#runFolder, kind);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(path.dirname(folder), { recursive: true });
    const time = new TimeLeft();
    const what = await makeCut(kind, {
      before,
      folder,
      settings: this.#run.settings,
      statistics,
      signal: this.#context.signal,
      // Steps of a cut count different things, rows and bytes.
      onProgress: (done, total) => {
        const part = done / Math.max(1, total);
        this.#context.on({
          type: 'cutting',
          kind,
          done: part,
          total: 1,
          secondsLeft: time.after(kind, part, 1),
        });
      },
    });
    const model = await this.#open(kind);
    const cut = { kind, what, bytesBefore: modelBytes(before), bytesAfter: modelBytes(model) };
    const record: KeptCut = { version: 1, cut, modelFile: model.source.modelFile };
    writeKept(cutRecord(this.#runFolder, kind), record);
    this.#made.push(cut);
    this.#context.on({ type: 'cut', cut });
    return model;
  }
}
