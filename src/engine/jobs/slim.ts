/** The whole job: a model, a task and a budget in, a slimmed model and a report out. */
import { createHash } from 'node:crypto';
import { calibrate } from './parts/curve.js';
import { Checkpoint } from '../runs/checkpoint.js';
import type { LossBatch } from '../loss/loss-batch.js';
import type { CalibrationEvent } from '../calibrate/events.js';
import type { TrainedScales } from '../calibrate/train/train-scales.js';
import type { RowProblem } from '../data/row-problems.js';
import { describeDecoder } from '../decoder/describe.js';
import { CancelledError, ProviderFailure, UserError } from '../../schema/errors.js';
import { compareAnswers } from '../evaluate/compare-answers.js';
import type { HeldoutQuality } from '../evaluate/heldout-quality.js';
import { measureSpeed } from '../evaluate/speed/measure-speed.js';
import { requireFreeOutput, type ExportResult } from '../export/export-model.js';
import { exportPoint, slimmedForAnswers } from './parts/write-point.js';
import { Generator } from '../generate/generator.js';
import { GrowingReport } from '../runs/growing-report.js';
import { MemoryPlanner, type MemoryPlan } from './parts/memory-plan.js';
import { openSourceModel, type SourceModel } from './parts/source-model.js';
import { prepareTask, type PreparedTask } from './parts/task.js';
import { saveReport, type CurvePoint, type QualityMeasure, type SlimReport } from '../runs/report.js';
import type { Run, RunStore } from '../runs/run-store.js';
import type { SessionOptions } from '../runtime/session.js';
import { peakSoFar } from '../runtime/peak-memory.js';
import { decidingSettings, trainingSettings, withSession, type SlimSettings } from './parts/settings.js';
import { qualityMeasureFor, taskBatches } from './parts/batches.js';

export type SlimStage =
  | 'opening the model'
  | 'reading the task'
  | 'collecting answers'
  | 'calibrating'
  | 'comparing answers'
  | 'exporting'
  | 'measuring speed';

export type SlimEvent =
  | { type: 'stage'; stage: SlimStage }
  | { type: 'columns'; columns: string; problems: readonly RowProblem[] }
  | { type: 'answers'; done: number; total: number }
  /** How the model is run, so that the job stays within its limit of memory. */
  | { type: 'memory'; plan: MemoryPlan }
  /** One sentence: on which execution provider the job runs and why, if another one than the CPU is asked for. */
  | { type: 'provider'; reason: string }
  /** Operators, not named before, that this provider leaves to the CPU. */
  | { type: 'cpu-operators'; provider: string; operators: readonly string[] }
  | { type: 'original'; quality: HeldoutQuality; measure: QualityMeasure }
  | { type: 'point'; point: CurvePoint }
  | CalibrationEvent;

export interface SlimOptions {
  store: RunStore;
  /** Where generated answers are kept from run to run. */
  cacheFolder: string;
  onEvent?: (event: SlimEvent) => void;
  signal?: AbortSignal;
}

export interface SlimResult {
  run: Run;
  report: SlimReport;
}

/**
 * Runs or resumes a run: what its checkpoint holds is not computed again.
 * @throws UserError for anything the user can mend; CancelledError if stopped. The run's status says which.
 */
export async function slim(run: Run, options: SlimOptions): Promise<SlimResult> {
  const { store } = options;
  store.update(run, { status: 'running', process: process.pid, error: undefined });
  try {
    const report = await withSession(
      run.settings,
      (session) => new SlimJob(run, options, session).execute(),
      (reason) => options.onEvent?.({ type: 'provider', reason }),
    );
    store.update(run, { status: 'finished' });
    return { run, report };
  } catch (error) {
    if (error instanceof ProviderFailure) throw goesOnOnCpu(run, store, error);
    const status = error instanceof CancelledError ? 'stopped' : 'failed';
    store.update(run, { status, error: error instanceof UserError ? error.message : undefined });
    throw error;
  }
}

/** Lets a run whose execution provider failed go on on the CPU when it is resumed. @returns what to tell the user */
function goesOnOnCpu(run: Run, store: RunStore, { provider, reason }: ProviderFailure): UserError {
  const failure = new ProviderFailure(
    provider,
    reason,
    'resume the run, and it goes on from here on the CPU',
  );
  store.update(run, {
    status: 'failed',
    error: failure.message,
    settings: { ...run.settings, provider: 'cpu' },
  });
  return failure;
}

class SlimJob {
  readonly #run: Run;
  readonly #settings: SlimSettings;
  readonly #options: SlimOptions;
  readonly #session: SessionOptions;
  readonly #memory: MemoryPlanner;
  readonly #plans: MemoryPlan[] = [];
  readonly #seconds: Record<string, number> = {};

  constructor(run: Run, options: SlimOptions, session: SessionOptions) {
    this.#run = run;
    this.#settings = run.settings;
    this.#options = options;
    this.#session = session;
    this.#memory = new MemoryPlanner(run.settings.memory, this.#watched(), (plan) => {
      this.#plans.push(plan);
      this.#emit({ type: 'memory', plan });
    });
  }

  /** The session's options, for sessions of this process, with an eye on what their provider lacks. */
  #watched(): SessionOptions {
    const named = new Set<string>();
    const onCpuOperators = (operators: readonly string[]) => {
      const added = operators.filter((operator) => !named.has(operator));
      if (added.length === 0) return;
      for (const operator of added) named.add(operator);
      this.#emit({ type: 'cpu-operators', provider: this.#session.provider ?? 'cpu', operators: added });
    };
    return { ...this.#session, onCpuOperators };
  }

  async execute(): Promise<SlimReport> {
    const settings = this.#settings;
    const { signal, store } = this.#options;
    const model = await this.#stage('opening the model', () =>
      openSourceModel(settings.model, settings.modelFile, settings.memory),
    );
    if (settings.output !== undefined) requireFreeOutput(settings.output, model.source.folder);
    const task = await this.#prepare(model);
    const batches = taskBatches(model, task, settings);
    const qualityMeasure = qualityMeasureFor(task.heldout);
    const checkpoint = Checkpoint.open(
      store.checkpointFile(this.#run),
      runFingerprint(model, task, settings),
    );
    const growing = new GrowingReport(
      store.reportFile(this.#run),
      {
        layers: model.decoder.layerCount,
        task: task.summary,
        qualityMeasure,
        seconds: this.#seconds,
      },
      checkpoint,
    );
    const calibrated = await this.#stage('calibrating', async () =>
      calibrate({
        decoder: model.decoder,
        ...batches,
        settings,
        session: await this.#memory.forCalibration(
          model.decoder,
          [...batches.calibration, ...batches.heldout],
          trainingSettings(settings),
        ),
        qualityMeasure,
        checkpoint,
        signal,
        onEvent: (event) => this.#emit(event),
        onOriginal: (quality) => {
          growing.addOriginal(quality);
          this.#emit({ type: 'original', quality, measure: qualityMeasure });
        },
        onPoint: (point) => {
          growing.addPoint(point);
          this.#emit({ type: 'point', point });
        },
      }),
    );
    const { original, points, chosen } = calibrated;
    const report = growing.settle(original, points, chosen.skipped.length);
    report.answers = await this.#compareAnswers(model, task, chosen);
    if (settings.output !== undefined) await this.#export(model, task, batches.heldout, chosen, report);
    if (settings.memory !== undefined) report.memory = { plans: this.#plans, peakBytes: peakSoFar() };
    saveReport(store.reportFile(this.#run), report);
    return report;
  }

  async #prepare(model: SourceModel): Promise<PreparedTask> {
    const { cacheFolder, signal } = this.#options;
    return await this.#stage('reading the task', () =>
      prepareTask(model, this.#settings, {
        cacheFolder,
        session: this.#session,
        planGeneration: (prompts) =>
          this.#memory.forGeneration(model.decoder, prompts, this.#settings.maxNewTokens),
        ...(signal ? { signal } : {}),
        onColumns: (columns, problems) => this.#emit({ type: 'columns', columns, problems }),
        onAnswer: (done, total) => this.#emit({ type: 'answers', done, total }),
      }),
    );
  }

  async #compareAnswers(model: SourceModel, task: PreparedTask, chosen: TrainedScales) {
    const prompts = task.prompts.slice(0, this.#settings.answerRows);
    if (prompts.length === 0) return undefined;
    return await this.#stage('comparing answers', async () => {
      const { session, batchRows } = await this.#memory.forGeneration(
        model.decoder,
        prompts.map(({ ids }) => ids),
        this.#settings.maxNewTokens,
      );
      const original = await Generator.open(model.decoder, session, batchRows);
      const decoder = slimmedForAnswers(model, chosen, this.#settings.scales, session);
      const slimmed = await Generator.open(decoder, session, batchRows);
      let done = 0;
      const { signal } = this.#options;
      try {
        return await compareAnswers(
          original,
          slimmed,
          prompts,
          {
            maxNewTokens: this.#settings.maxNewTokens,
            stopTokens: task.stopTokens,
            ...(signal ? { signal } : {}),
            onFinished: () => this.#emit({ type: 'answers', done: (done += 1), total: 2 * prompts.length }),
          },
          (tokens) => task.tokenizer.decode(tokens, { skipSpecialTokens: true }),
        );
      } finally {
        await original.release();
        await slimmed.release();
      }
    });
  }

  async #export(
    model: SourceModel,
    task: PreparedTask,
    heldout: readonly LossBatch[],
    chosen: TrainedScales,
    report: SlimReport,
  ): Promise<void> {
    const exported = await this.#stage('exporting', () =>
      exportPoint(model, task, chosen, report, this.#settings, this.#settings.output!),
    );
    this.#options.store.update(this.#run, { exportedTo: exported.folder });
    report.exported = { folder: exported.folder, largestDifference: exported.verification.largestDifference };
    report.sizes = {
      original: { modelBytes: exported.originalBytes, cacheBytesPerToken: cacheBytes(model, []) },
      slimmed: { modelBytes: exported.slimmedBytes, cacheBytesPerToken: cacheBytes(model, chosen.skipped) },
    };
    // Speed is that of the whole model, in a process of its own.
    const fits = !this.#plans.some(({ inTurn }) => inTurn);
    if (this.#settings.speedRounds > 0 && heldout.length > 0 && fits) {
      const measured = await this.#stage('measuring speed', () => this.#measureSpeed(model, task, exported));
      if (measured) report.speed = { original: measured[0]!, slimmed: measured[1]! };
    }
  }

  async #measureSpeed(model: SourceModel, task: PreparedTask, exported: ExportResult) {
    const { signal } = this.#options;
    const rows = task.heldout.slice(0, 8);
    return await measureSpeed([model.source.modelPath, exported.modelPath], {
      prompts: rows.map((row) => row.ids.slice(0, Math.max(1, row.responseStart))),
      newTokens: 32,
      rounds: this.#settings.speedRounds,
      session: this.#session,
      ...(signal ? { signal } : {}),
    });
  }

  async #stage<T>(stage: SlimStage, work: () => Promise<T>): Promise<T> {
    this.#emit({ type: 'stage', stage });
    const started = performance.now();
    const result = await work();
    this.#seconds[stage] = (performance.now() - started) / 1000;
    return result;
  }

  #emit(event: SlimEvent): void {
    this.#options.onEvent?.(event);
  }
}

/** Hash of model, rows and settings: a checkpoint is only good for the same. */
export function runFingerprint(model: SourceModel, task: PreparedTask, settings: SlimSettings): string {
  const parts = [model.fingerprint, task.fingerprint, decidingSettings(settings)];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function cacheBytes(model: SourceModel, skipped: readonly string[]): number | undefined {
  const blocks = describeDecoder(model.decoder).blocks.filter(
    (block) => block.cacheBytesPerToken !== undefined,
  );
  if (blocks.length === 0) return undefined;
  return blocks
    .filter((block) => !skipped.includes(`${block.kind} ${block.layer}`))
    .reduce((sum, block) => sum + block.cacheBytesPerToken!, 0);
}
