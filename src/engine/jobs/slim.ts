/** The whole job: a model, a task and a budget in, a slimmed model and a report out. */
import { ProviderFailure } from '../../schema/errors.js';
import type { JobEvent, JobStage } from '../../schema/events.js';
import { forUsers } from '../../schema/plain-words.js';
import type { MemoryPlan, RunReport } from '../../schema/report.js';
import type { Run } from '../../schema/runs.js';
import { isCut } from '../../schema/cuts.js';
import { lossKindFor } from '../../schema/settings.js';
import type { TrainedScales } from '../calibrate/train/train-scales.js';
import type { EncodedRow } from '../data/encoded-row.js';
import { tryExport } from '../export/try-export.js';
import type { Decoder } from '../decoder/decoder.js';
import { Generator } from '../generate/generator.js';
import { makeLossBatch } from '../loss/loss-batch.js';
import { openCheckpoint } from '../runs/checkpoint-file.js';
import { requireWhole } from '../runs/damaged-run.js';
import { GrowingReport } from '../runs/growing-report.js';
import { writeKept } from '../runs/kept-json.js';
import { saveReport } from '../runs/report.js';
import { findingsOf, keptCheckpoint } from '../runs/run-details.js';
import { lockRun } from '../runs/run-lock.js';
import { peakSoFar } from '../runtime/peak-memory.js';
import type { RunOptions } from '../runtime/session.js';
import type { JobContext } from './context.js';
import { heldoutAnswers, keptAnswers } from './parts/answers.js';
import { qualityMeasureFor, taskBatches } from './parts/batches.js';
import { requirePossible } from './parts/before-start.js';
import { tellingCpuOperators } from './parts/cpu-operators.js';
import { calibrate } from './parts/curve.js';
import { goesOnOnCpu, onDevice } from './parts/device.js';
import { endedBy } from './parts/ended-run.js';
import { finishedReport, hasProgress, mayBeExport } from './parts/finished-run.js';
import { MemoryPlanner, planEvent } from './parts/memory-plan.js';
import { sizeFigures } from './parts/model-files.js';
import { runFingerprint } from './parts/points.js';
import { trainingSettings } from './parts/settings.js';
import { openAnyModel } from './parts/imported-model.js';
import { ModelCutter } from './parts/model-cutter.js';
import type { RunModels } from './parts/run-models.js';
import type { SourceModel } from './parts/source-model.js';
import { speedOf } from './parts/speed.js';
import { prepareTask, type PreparedTask } from './parts/task.js';
import { WithTimeLeft } from './parts/time-left.js';
import { pointInPlace, slimmedForAnswers, writePoint } from './parts/write-point.js';

export interface SlimRequest {
  /** A run of the context's store, new or stopped: what its checkpoint holds is not computed again. */
  run: Run;
}

export interface SlimResult {
  run: Run;
  report: RunReport;
}

/**
 * Runs or resumes a run, on the device and within the memory that its settings name.
 * @throws UserError for anything the user can mend; CancelledError if stopped. The run's status says which.
 */
export async function slim({ run }: SlimRequest, context: JobContext): Promise<SlimResult> {
  const { store } = context;
  const timed = new WithTimeLeft(context.on);
  const on = (event: JobEvent) => timed.pass(event);
  requireWhole(run);
  const done = finishedReport(run, store);
  if (done) return { run, report: done };
  const unlock = lockRun(store.folderOf(run.id));
  store.update(run, { status: 'running', process: process.pid, error: undefined });
  try {
    const checkpoint = keptCheckpoint(store, run);
    if (checkpoint) on({ type: 'restored', findings: findingsOf(checkpoint) });
    const report = await onDevice(
      run.settings,
      (runOptions) => new SlimJob(run, { ...context, on }, runOptions).execute(),
      (reason) => on({ type: 'provider', reason }),
    );
    store.update(run, { status: 'finished' });
    return { run, report };
  } catch (thrown) {
    const error = forUsers(thrown);
    if (error instanceof ProviderFailure) throw goesOnOnCpu(run, context, error);
    store.update(run, endedBy(error));
    throw error;
  } finally {
    unlock();
  }
}

class SlimJob {
  readonly #run: Run;
  readonly #context: JobContext;
  readonly #runOptions: RunOptions;
  readonly #planner: MemoryPlanner;
  readonly #plans: MemoryPlan[] = [];
  readonly #seconds: Record<string, number> = {};
  readonly #pointSeconds: Record<string, number> = {};

  constructor(run: Run, context: JobContext, runOptions: RunOptions) {
    this.#run = run;
    this.#context = context;
    this.#runOptions = runOptions;
    this.#planner = new MemoryPlanner(
      run.settings.memory,
      tellingCpuOperators(runOptions, context.on),
      (plan) => {
        this.#plans.push(plan);
        context.on(planEvent(plan));
      },
    );
  }

  async execute(): Promise<RunReport> {
    const { settings } = this.#run;
    const { store } = this.#context;
    const original = await this.#stage('opening the model', () =>
      openAnyModel(settings, this.#context, settings.memory),
    );
    const isWritten = hasProgress(this.#run, store) && mayBeExport(this.#run, original.name);
    requirePossible(original, settings, store.folderOf(this.#run.id), isWritten);
    const cutter = new ModelCutter(this.#run, original, this.#context, this.#planner);
    const reference = await this.#cut(() => cutter.reference());
    const task = await this.#stage('reading the task', () =>
      prepareTask(reference, settings, this.#planner, this.#context, (rows) =>
        this.#tryExport(reference, rows),
      ),
    );
    const models = await this.#cut(() => cutter.models(reference, task));
    const { report, chosen } = await this.#calibrate(models, task);
    report.answers = await this.#compareAnswers(models, task, chosen);
    if (settings.output !== undefined) await this.#export(models, task, chosen, report, settings.output);
    if (settings.memory !== undefined) report.memory = { plans: this.#plans, peakBytes: peakSoFar() };
    saveReport(store.reportFile(this.#run), report);
    return report;
  }

  async #cut<T>(work: () => Promise<T>): Promise<T> {
    const { settings } = this.#run;
    return isCut(settings) || settings.aim ? await this.#stage('cutting the model', work) : await work();
  }

  /** What cannot be written is known before any work is done; a run that goes on has been through that. */
  async #tryExport(model: SourceModel, rows: readonly EncodedRow[]): Promise<void> {
    const { settings } = this.#run;
    const { store, on } = this.#context;
    // Without a row there is no job either, which is said in a moment.
    if (rows.length === 0 || hasProgress(this.#run, store)) return;
    const tried = await tryExport({
      original: model.decoder,
      granularity: settings.scales,
      mode: settings.exportMode,
      batches: [makeLossBatch(model.decoder, rows, 0)],
      scratch: store.folderOf(this.#run.id),
      runOptions: this.#planner.forPasses(model.decoder),
    });
    if (tried.reason !== undefined) on({ type: 'export-mode', mode: tried.mode, reason: tried.reason });
  }

  async #calibrate(
    { model, reference, cuts, plan }: RunModels,
    task: PreparedTask,
  ): Promise<{ report: RunReport; chosen: TrainedScales }> {
    const { settings } = this.#run;
    const { store, signal, on } = this.#context;
    const batches = taskBatches(model, task, settings);
    const qualityMeasure = qualityMeasureFor(task.heldout);
    const checkpoint = openCheckpoint(store.checkpointFile(this.#run), runFingerprint(model, task, settings));
    const referenceTask =
      reference === model
        ? { ...batches, checkpoint }
        : {
            ...taskBatches(reference, task, settings),
            checkpoint: openCheckpoint(
              store.referenceCheckpointFile(this.#run),
              runFingerprint(reference, task, settings),
            ),
          };
    const growing = new GrowingReport(
      store.reportFile(this.#run),
      {
        layers: model.decoder.layerCount,
        task: task.summary,
        ...(cuts.length > 0 && { cuts: [...cuts] }),
        ...(plan && { plan: [...plan] }),
        seconds: this.#seconds,
        pointSeconds: this.#pointSeconds,
      },
      checkpoint,
    );
    const calibrated = await this.#stage('calibrating', async () =>
      calibrate({
        decoder: model.decoder,
        ...batches,
        reference: { decoder: reference.decoder, ...referenceTask },
        kept: task.kept,
        settings,
        loss: lossKindFor(task.summary.responses),
        runOptions: await this.#planner.forCalibration(
          model.decoder,
          [...batches.calibration, ...batches.heldout],
          trainingSettings(settings, model.decoder.hiddenSize),
        ),
        qualityMeasure,
        checkpoint,
        signal,
        onEvent: on,
        onOriginal: ({ quality, trained, measure }) => {
          growing.addOriginal({ original: quality, trainedOriginal: trained, qualityMeasure: measure });
          on({ type: 'original', quality, trained, measure });
        },
        onPoint: (point, seconds) => {
          if (seconds !== undefined) this.#pointSeconds[point.skipped.length] = seconds;
          growing.addPoint(point);
          on({ type: 'point', point });
        },
      }),
    );
    const { points, chosen } = calibrated;
    return { report: growing.settle(points, chosen.skipped.length), chosen };
  }

  /** The rows are kept where a comparison of the held-out answers looks for them. */
  async #compareAnswers(
    { model, reference }: RunModels,
    task: PreparedTask,
    chosen: TrainedScales,
  ): Promise<RunReport['answers']> {
    const { answerRows, maxNewTokens, scales } = this.#run.settings;
    const prompts = task.prompts.slice(0, answerRows);
    if (prompts.length === 0) return undefined;
    return await this.#stage('comparing answers', async () => {
      const { runOptions, batchRows } = await this.#planner.forGeneration(
        model.decoder,
        prompts.map(({ ids }) => ids),
        maxNewTokens,
      );
      const open = async (decoder: Decoder) => await Generator.openForBatches(decoder, runOptions, batchRows);
      const slimmed = await open(slimmedForAnswers(model, chosen, scales, runOptions));
      try {
        const original = keptAnswers(reference, task, maxNewTokens, this.#context, () =>
          open(reference.decoder),
        );
        const pair = { original, slimmed };
        const answers = await heldoutAnswers(pair, task, answerRows, maxNewTokens, this.#context);
        const { rows: _, ...figures } = answers!;
        writeKept(this.#context.store.answersFile(this.#run, chosen.skipped.length), answers);
        return figures;
      } finally {
        await slimmed.release();
      }
    });
  }

  async #export(
    models: RunModels,
    task: PreparedTask,
    chosen: TrainedScales,
    report: RunReport,
    output: string,
  ): Promise<void> {
    const { settings } = this.#run;
    const { original, model } = models;
    const written =
      pointInPlace(models, task.name, chosen, settings, output) ??
      (await this.#stage('exporting', () => writePoint(models, task, chosen, report, settings, output)));
    this.#context.store.update(this.#run, { exportedTo: written.folder });
    report.exported = {
      folder: written.folder,
      largestDifference: written.largestDifference,
      modeReason: written.modeReason,
      leftOut: written.leftOut,
    };
    report.sizes = {
      original: sizeFigures(original, [], written.originalBytes),
      slimmed: sizeFigures(model, chosen.skipped, written.slimmedBytes),
    };
    const measured = await this.#stage('measuring speed', () =>
      speedOf(
        original,
        written.modelPath,
        task,
        settings.speedRounds,
        this.#planner,
        this.#runOptions,
        this.#context,
      ),
    );
    Object.assign(report, measured);
  }

  async #stage<T>(stage: JobStage, work: () => Promise<T>): Promise<T> {
    this.#context.on({ type: 'stage', stage });
    const started = performance.now();
    const result = await work();
    this.#seconds[stage] = (performance.now() - started) / 1000;
    return result;
  }
}
