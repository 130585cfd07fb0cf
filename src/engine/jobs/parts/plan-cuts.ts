/** Tries each cut alone on rows kept apart, and chooses those that reach the run's aim for the least loss. */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { BlockName, DecoderDescription } from '../../../schema/blocks.js';
import { throwIfCancelled } from '../../../schema/errors.js';
import type { Aim, CutKind, Cuts, PlannedKind, Precision, TriedStep } from '../../../schema/cuts.js';
import { bytesWithCuts, type CutSizes } from '../../../schema/cut-sizes.js';
import type { JobSettings } from '../../../schema/settings.js';
import { measureSimilarity } from '../../calibrate/select/stream-similarity.js';
import { candidateBlocks } from '../../calibrate/select/candidates.js';
import { tokenizerProblem } from '../../cuts/vocabulary/plan-vocabulary.js';
import type { EncodedRow } from '../../data/encoded-row.js';
import { describeDecoder } from '../../decoder/describe.js';
import type { Decoder } from '../../decoder/decoder.js';
import { deleteBlocks } from '../../decoder/edit/delete-blocks.js';
import { heldoutQuality } from '../../evaluate/heldout-quality.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import type { RunOptions } from '../../runtime/session.js';
import type { JobContext } from '../context.js';
import { batchesByLength, rowsForTrials } from './batches.js';
import { planForGoal } from './cut-goal.js';
import type { PlannedCuts, TriedCut, TriedCuts } from './cut-plan.js';
import type { CutStatistics } from './cut-statistics.js';
import { cutProblem, makeCut } from './cuts.js';
import { modelBytes } from './model-files.js';
import { openModel, type SourceModel } from './source-model.js';
import type { PreparedTask } from './task.js';
import { openTrialBase, openUntrained, type TrialBase } from './trial-base.js';

/** Shares of the neurons, and of the attention blocks, that are tried. */
const NEURONS = [0.1, 0.2, 0.3];
const ATTENTION = [0.1, 0.2, 0.3];
const PRECISIONS: readonly Precision[] = ['int8', 'q4', 'q4f16'];
const TRIAL_BATCH_ROWS = 8;

export interface PlanTask {
  aim: Aim;
  settings: JobSettings;
  original: SourceModel;
  /** The original with the tokens that are kept; tried cuts are made of it. */
  reference: SourceModel;
  task: PreparedTask;
  /** Of the reference. */
  statistics: CutStatistics;
  /** For models that are tried. */
  scratch: string;
  runOptions: RunOptions;
  context: Pick<JobContext, 'on' | 'signal'>;
}

export interface CutsForAim {
  settings: Pick<JobSettings, 'cuts' | 'budget'>;
  steps: TriedStep[];
}

/**
 * Whether the tokens of all rows' scripts are kept and no others, where aim, model and tokenizer allow it: that costs
 * nothing on the task.
 */
export async function vocabularyForAim(aim: Aim, model: SourceModel): Promise<Pick<Cuts, 'vocabulary'>> {
  if (!aim.cuts.includes('vocabulary')) return {};
  const problem = cutProblem('vocabulary', model, {}) ?? (await tokenizerProblem(model.source));
  return problem === undefined ? { vocabulary: 'task' } : {};
}

/** @throws UserError if the aim is out of reach; CancelledError if stopped */
export async function planCuts(task: PlanTask): Promise<CutsForAim> {
  const trials = await Trials.open(task);
  try {
    return await trials.plan();
  } finally {
    await trials.release();
  }
}

interface Effects {
  loss: number;
  /** Share of the response tokens predicted that are not any more. */
  drop: number;
  /** Share of the time of a new token that is left, where a speed is the aim. */
  time?: number;
}

class Trials {
  readonly #task: PlanTask;
  readonly #rows: readonly EncodedRow[];
  readonly #base: TrialBase;
  readonly #description: DecoderDescription;
  readonly #steps: (TriedStep & { setting: unknown })[] = [];

  private constructor(task: PlanTask, rows: readonly EncodedRow[], base: TrialBase) {
    this.#task = task;
    this.#rows = rows;
    this.#base = base;
    this.#description = describeDecoder(task.reference.decoder);
  }

  static async open(task: PlanTask): Promise<Trials> {
    const rows = rowsForTrials(task.task, task.settings);
    const { original, reference } = task;
    const batches = batchesByLength(reference.decoder, rows, TRIAL_BATCH_ROWS, task.task);
    const base = await openTrialBase({
      original: original.decoder,
      reference: reference.decoder,
      batches,
      isForSpeed: task.aim.goal.kind === 'speed',
      runOptions: task.runOptions,
      signal: task.context.signal,
    });
    return new Trials(task, rows, base);
  }

  async release(): Promise<void> {
    await this.#base.release();
  }

  async plan(): Promise<CutsForAim> {
    const { aim, original, reference, settings } = this.#task;
    const allowed = (kind: PlannedKind) => aim.cuts.includes(kind);
    const tried: TriedCuts = {
      precision: [{ setting: undefined, loss: 0 }, ...(allowed('precision') ? await this.#precisions() : [])],
      neurons: [{ setting: undefined, loss: 0 }, ...(allowed('neurons') ? await this.#neurons() : [])],
      attention: [{ setting: 0, loss: 0 }, ...(allowed('attention') ? await this.#attention() : [])],
    };
    const vocabulary = settings.cuts.vocabulary;
    const plan = planForGoal(aim.goal, tried, {
      description: this.#description,
      name: original.name,
      beside: modelBytes(reference) - this.#description.total.bytes,
      time: this.#base.time,
      hasFewerTokens: vocabulary !== undefined,
    });
    return {
      settings: {
        cuts: {
          ...(vocabulary !== undefined && { vocabulary }),
          ...(plan.neurons !== undefined && { neurons: plan.neurons }),
          ...(plan.precision !== undefined && { precision: plan.precision }),
        },
        budget: { kind: 'blocks', blocks: plan.attention },
      },
      steps: this.#stepsOf(plan),
    };
  }

  #stepsOf(plan: PlannedCuts): TriedStep[] {
    return this.#steps.map(({ setting, ...step }) => ({
      ...step,
      taken: step.kind !== 'vocabulary' && plan[step.kind] === setting,
    }));
  }

  async #precisions(): Promise<TriedCut<Precision>[]> {
    const tried: TriedCut<Precision>[] = [];
    for (const precision of PRECISIONS) {
      const losses = await this.#tryCut('precision', { precision });
      if (losses) tried.push(this.#record('precision', precision, precision, losses, { precision }));
    }
    return tried;
  }

  async #neurons(): Promise<TriedCut<number>[]> {
    const tried: TriedCut<number>[] = [];
    for (const neurons of NEURONS) {
      const losses = await this.#tryCut('neurons', { neurons });
      const what = `${neurons * 100} % of the neurons`;
      if (losses) tried.push(this.#record('neurons', what, neurons, losses, { neurons }));
    }
    return tried;
  }

  /** Blocks in the order in which they turn the stream the least. */
  async #attention(): Promise<TriedCut<number>[]> {
    const { reference, runOptions } = this.#task;
    const { decoder } = reference;
    const similarity = await measureSimilarity(decoder, this.#base.batches, runOptions, () => this.#listen());
    const order = candidateBlocks(decoder, ['attention'], []).toSorted(
      (a, b) => similarity.byBlock.get(b)! - similarity.byBlock.get(a)!,
    );
    const numbers = new Set(ATTENTION.map((part) => Math.round(part * order.length)).filter(Boolean));
    const tried: TriedCut<number>[] = [];
    for (const attention of numbers) {
      const losses = await this.#measure(decoder, order.slice(0, attention), this.#base.batches);
      tried.push(
        this.#record('attention', `${attention} attention blocks`, attention, losses, { attention }),
      );
    }
    return tried;
  }

  /** @returns undefined where the model cannot be cut so */
  async #tryCut(kind: CutKind, cuts: Cuts): Promise<Effects | undefined> {
    const { reference, settings, task, statistics, scratch, context } = this.#task;
    if (cutProblem(kind, reference, cuts) !== undefined) return undefined;
    const folder = path.join(scratch, 'tried');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(scratch, { recursive: true });
    try {
      await makeCut(kind, {
        before: reference,
        folder,
        settings: { ...settings, cuts },
        statistics,
        signal: context.signal,
        onProgress: () => this.#listen(),
      });
      const { decoder } = await openModel(folder, undefined, settings.memory);
      return await this.#measure(decoder, [], batchesByLength(decoder, this.#rows, TRIAL_BATCH_ROWS, task));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  async #measure(
    decoder: Decoder,
    skipped: readonly BlockName[],
    batches: readonly LossBatch[],
  ): Promise<Effects> {
    const { context, runOptions } = this.#task;
    const model = await openUntrained(decoder, skipped, runOptions);
    try {
      const original = { model: this.#base.model, scales: new Map() };
      const quality = await heldoutQuality({ model, scales: new Map() }, batches, {
        original,
        originalBatches: this.#base.batches,
        ...(context.signal && { signal: context.signal }),
      });
      const loss =
        this.#task.task.summary.responses === 'own'
          ? quality.divergence!.value
          : quality.loss.value - this.#base.loss;
      const drop = 1 - quality.tokenAccuracy.value / this.#base.accuracy;
      return { loss: Math.max(0, loss), drop, ...(await this.#time(decoder, skipped)) };
    } finally {
      await model.release();
    }
  }

  async #time(decoder: Decoder, skipped: readonly BlockName[]): Promise<Pick<Effects, 'time'>> {
    const { times, time } = this.#base;
    if (!times) return {};
    const share = await times.shareOf(skipped.length > 0 ? deleteBlocks(decoder, skipped) : decoder);
    return { time: share / time };
  }

  #record<Setting>(
    kind: PlannedKind,
    what: string,
    setting: Setting,
    { loss, drop, time }: Effects,
    sizes: CutSizes,
  ): TriedCut<Setting> {
    const { aim, context } = this.#task;
    const bytes = bytesWithCuts(this.#description, sizes);
    const step = {
      kind,
      what,
      loss,
      bytes,
      ...(time !== undefined && { time: time * this.#base.time }),
      taken: false,
    };
    this.#steps.push({ ...step, setting });
    context.on({ type: 'cut-tried', step });
    return {
      setting,
      loss: aim.goal.kind === 'quality' ? Math.max(0, drop) : loss,
      ...(time !== undefined && { time }),
    };
  }

  #listen(): void {
    throwIfCancelled(this.#task.context.signal);
  }
}
