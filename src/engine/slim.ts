/** The whole job: a model, a task and a budget in, a slimmed model and a report out. */
import { createHash } from 'node:crypto';
import { calibrate } from './calibration.js';
import { Checkpoint } from './calibrate/checkpoint.js';
import { makeLossBatch, type LossBatch } from './calibrate/loss-batch.js';
import type { CalibrationEvent } from './calibrate/events.js';
import type { TrainedScales } from './calibrate/train-scales.js';
import { makeBatches } from './data/batches.js';
import type { EncodedRow } from './data/encode-examples.js';
import type { RowProblem } from './data/row-problems.js';
import { describeDecoder } from './decoder/describe.js';
import { CancelledError, UserError } from './errors.js';
import { compareAnswers } from './evaluate/compare-answers.js';
import type { HeldoutQuality } from './evaluate/heldout-quality.js';
import { measureSpeed } from './evaluate/measure-speed.js';
import {
  exportModel,
  requireFreeOutput,
  type ExportRecord,
  type ExportResult,
} from './export/export-model.js';
import { applyWeightEdits, foldScales } from './export/fold-scales.js';
import { Generator } from './generate/generator.js';
import { GrowingReport } from './growing-report.js';
import { openSourceModel, type SourceModel } from './open-source-model.js';
import { prepareTask, type PreparedTask } from './prepare-task.js';
import { saveReport, type CurvePoint, type QualityMeasure, type SlimReport } from './report.js';
import { reportFigures } from './report-figures.js';
import type { Run, RunStore } from './run-store.js';
import type { SessionOptions } from './runtime/session.js';
import { decidingSettings, trainingBatchRows, type SlimSettings } from './settings.js';

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

/** Rows whose logits are compared before an export is called done. */
const VERIFICATION_ROWS = 16;

/** Held-out responses longer than this (median, in tokens) are judged token by token, not as whole answers. */
const LONG_ANSWER_TOKENS = 64;

/**
 * Runs or resumes a run: what its checkpoint holds is not computed again.
 * @throws UserError for anything the user can mend; CancelledError if stopped. The run's status says which.
 */
export async function slim(run: Run, options: SlimOptions): Promise<SlimResult> {
  const { store } = options;
  store.update(run, { status: 'running', process: process.pid, error: undefined });
  try {
    const report = await new SlimJob(run, options).execute();
    store.update(run, { status: 'finished' });
    return { run, report };
  } catch (error) {
    const status = error instanceof CancelledError ? 'stopped' : 'failed';
    store.update(run, { status, error: error instanceof UserError ? error.message : undefined });
    throw error;
  }
}

class SlimJob {
  readonly #run: Run;
  readonly #settings: SlimSettings;
  readonly #options: SlimOptions;
  readonly #session: SessionOptions;
  readonly #seconds: Record<string, number> = {};

  constructor(run: Run, options: SlimOptions) {
    this.#run = run;
    this.#settings = run.settings;
    this.#options = options;
    this.#session = sessionOptions(run.settings);
  }

  async execute(): Promise<SlimReport> {
    const settings = this.#settings;
    const { signal, store } = this.#options;
    const model = await this.#stage('opening the model', () =>
      openSourceModel(settings.model, settings.modelFile),
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
    const calibrated = await this.#stage('calibrating', () =>
      calibrate({
        decoder: model.decoder,
        ...batches,
        settings,
        session: this.#session,
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
    saveReport(store.reportFile(this.#run), report);
    return report;
  }

  async #prepare(model: SourceModel): Promise<PreparedTask> {
    const { cacheFolder, signal } = this.#options;
    return await this.#stage('reading the task', () =>
      prepareTask(model, this.#settings, {
        cacheFolder,
        session: this.#session,
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
      const original = await Generator.open(model.decoder, this.#session);
      const slimmed = await Generator.open(slimmedDecoder(model, chosen), this.#session);
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
    if (this.#settings.speedRounds > 0 && heldout.length > 0) {
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

export function sessionOptions(settings: Pick<SlimSettings, 'provider' | 'threads'>): SessionOptions {
  return {
    provider: settings.provider,
    ...(settings.threads === undefined ? {} : { threads: settings.threads }),
  };
}

/** Batches of both sides, as the settings order them. */
export function taskBatches(
  model: SourceModel,
  task: PreparedTask,
  settings: SlimSettings,
): { calibration: LossBatch[]; smallBatches: LossBatch[]; training: LossBatch[]; heldout: LossBatch[] } {
  const { order, seed } = settings;
  const padId = task.tokenizer.padTokenId;
  const toBatches = (rows: EncodedRow[], rowOrder: SlimSettings['order'], batchRows: number) =>
    makeBatches(rows, { batchRows, order: rowOrder, seed }).map((batch) =>
      makeLossBatch(model.decoder, batch, padId),
    );
  return {
    calibration: toBatches(task.calibration, order, settings.batchRows),
    smallBatches: toBatches(task.calibration, 'file', Math.max(1, settings.batchRows >> 2)),
    training: toBatches(task.calibration, order, trainingBatchRows(settings)),
    heldout: toBatches(task.heldout, 'file', settings.batchRows),
  };
}

function qualityMeasureFor(rows: readonly EncodedRow[]): QualityMeasure {
  const lengths = rows.map((row) => row.ids.length - row.responseStart).toSorted((a, b) => a - b);
  return lengths[lengths.length >> 1]! > LONG_ANSWER_TOKENS ? 'tokens' : 'answers';
}

/** Hash of model, rows and settings: a checkpoint is only good for the same. */
export function runFingerprint(model: SourceModel, task: PreparedTask, settings: SlimSettings): string {
  const parts = [model.fingerprint, task.fingerprint, decidingSettings(settings)];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** The slimmed model in memory, scales folded in. */
export function slimmedDecoder(model: SourceModel, trained: Pick<TrainedScales, 'skipped' | 'scales'>) {
  return applyWeightEdits(foldScales(model.decoder, trained.skipped, trained.scales));
}

/** Writes one point of the curve as a model folder. */
export async function exportPoint(
  model: SourceModel,
  task: PreparedTask,
  trained: Pick<TrainedScales, 'skipped' | 'scales'>,
  report: SlimReport,
  settings: SlimSettings,
  output: string,
): Promise<ExportResult> {
  const point = report.points.find((candidate) => candidate.skipped.length === trained.skipped.length);
  const record: ExportRecord = {
    modelName: model.name,
    taskName: task.name,
    strategy: settings.strategy,
    granularity: settings.scales,
    figures: point ? reportFigures(report, point) : [],
  };
  const rows = task.heldout.slice(0, VERIFICATION_ROWS);
  return await exportModel({
    source: model.source,
    original: model.decoder,
    skipped: trained.skipped,
    scales: trained.scales,
    mode: settings.exportMode,
    output,
    verificationBatches: [makeLossBatch(model.decoder, rows, task.tokenizer.padTokenId)],
    record,
    session: sessionOptions(settings),
  });
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
