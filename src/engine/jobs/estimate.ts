/** How long a job will take and how much memory it needs, from a short measurement on this machine. */
import os from 'node:os';
import type { JobEstimate } from '../../schema/results.js';
import { lossKindFor, type JobSettings } from '../../schema/settings.js';
import { GRADIENT_STEP_COST } from '../calibrate/select/selection-strategy.js';
import { appendResponse } from '../data/encode-examples.js';
import type { EncodedRow } from '../data/encoded-row.js';
import { loadTokenizer } from '../data/tokenizer.js';
import { describeDecoder } from '../decoder/describe.js';
import { formatBytes } from '../evaluate/figures.js';
import { Generator } from '../generate/generator.js';
import { openGradientModel } from '../loss/open-gradient-model.js';
import { makeLossBatch } from '../loss/loss-batch.js';
import type { RunOptions } from '../runtime/session.js';
import type { JobContext } from './context.js';
import { onnxModel } from './parts/imported-model.js';
import { onDevice } from './parts/device.js';
import { layersNeed, wholeNeed, type MemoryNeed } from './parts/memory-need.js';
import { MemoryLimitError, MemoryPlanner, planWay } from './parts/memory-plan.js';
import { modelBytes } from './parts/model-files.js';
import { encodeSide, readRows } from './parts/rows.js';
import { smallBatchRows, trainingSettings } from './parts/settings.js';
import type { SourceModel } from './parts/source-model.js';
import { usedRows, type Side } from './parts/token-budget.js';
import { foreseenRounds, foreseenWork } from './parts/work.js';

/** Bytes of one allocation above which Electron ends the process (docs/decisions/002-engine-in-a-process-of-its-own.md). */
const ELECTRON_LIMIT = 2 ** 30;
const MEASURED_ROWS = 4;
const MEASURED_TOKENS = 8;
/** Rows of the task that are looked at. */
const SAMPLE_ROWS = 32;
/** Tokens of an answer whose length is not known yet. */
const USUAL_ANSWER_TOKENS = 48;

export interface EstimateRequest {
  settings: JobSettings;
  /** Whether the job will run in Electron, where single allocations are limited. */
  inElectron: boolean;
}

/**
 * Two estimates of memory meet here. What the job takes without a limit is reckoned from what the model is made of
 * (parts/memory-need.ts): nothing may be tried that could end this process. Within a limit the planner decides, by the
 * same trial of one layer at a time as the job's own (parts/memory-plan.ts).
 * @throws UserError if model or dataset cannot be read, or the model has no room for the budget
 */
export async function estimate(
  { settings, inElectron }: EstimateRequest,
  context: JobContext,
): Promise<JobEstimate> {
  const model = await context.kept.model(await onnxModel(settings, context), settings.memory);
  const rounds = foreseenRounds(model.decoder, settings);
  const task = await sampleOfTask(model, settings);
  const availableBytes = os.freemem();
  const needed = memoryNeeded(model, settings, task);
  const nothing = { parts: { answers: 0, calibration: 0, comparison: 0 }, steps: 0, stepSeconds: 0 };
  const reason =
    settings.memory === undefined
      ? refusalOf(needed, availableBytes, inElectron)
      : limitRefusal(settings.memory, availableBytes);
  if (reason !== undefined)
    return { fits: false, reason, ...nothing, memoryBytes: needed.bytes, availableBytes };
  let device: string | undefined;
  try {
    const measured = await onDevice(
      settings,
      (runOptions) => measureSteps(model, settings, task, runOptions),
      (sentence) => (device = sentence),
    );
    return {
      fits: true,
      ...timeOf(model, settings, rounds, task, measured),
      reason: measured.way,
      memoryBytes: Math.min(needed.bytes, settings.memory ?? Infinity),
      availableBytes,
      device,
    };
  } catch (error) {
    if (!(error instanceof MemoryLimitError)) throw error;
    return { fits: false, reason: error.message, ...nothing, memoryBytes: error.leastBytes, availableBytes };
  }
}

interface Measured {
  /** Seconds of a row of a forward pass, and of an answer. */
  perRow: number;
  perAnswer: number;
  /** How the model is run, where the limit of memory does not let it be run whole. */
  way: string | undefined;
}

/** A gradient step and some tokens, within the limit of memory as the job itself plans it. */
async function measureSteps(
  model: SourceModel,
  settings: JobSettings,
  task: TaskSample,
  runOptions: RunOptions,
): Promise<Measured> {
  const ways: string[] = [];
  const planner = new MemoryPlanner(settings.memory, runOptions, (plan) => {
    if (plan.segments > 1 || plan.inTurn) ways.push(planWay(plan));
  });
  const longest = task.rows.toSorted((a, b) => b.ids.length - a.ids.length).slice(0, settings.batchRows);
  const planned = await planner.forCalibration(
    model.decoder,
    settings.memory === undefined ? [] : [makeLossBatch(model.decoder, longest, 0)],
    trainingSettings(settings, model.decoder.hiddenSize),
  );
  // Where layers are loaded in turn, a step takes about as long for few rows as for many.
  const rows = planned.segments?.slot ? longest : task.rows.slice(0, MEASURED_ROWS);
  const perRow = await secondsPerRow(model, rows, planned);
  const prompts = task.rows
    .slice(0, MEASURED_ROWS)
    .map((row) => row.ids.slice(0, Math.max(1, row.responseStart)));
  const { runOptions: answering } = await planner.forGeneration(
    model.decoder,
    prompts,
    settings.maxNewTokens,
  );
  const perAnswer = await secondsPerAnswer(model, settings, task.rows, prompts, answering);
  const way =
    ways.length === 0 ? undefined : `To stay within the limit: ${ways.join('; ')}. That takes longer.`;
  return { perRow, perAnswer, way };
}

function timeOf(
  model: SourceModel,
  settings: JobSettings,
  rounds: number,
  task: TaskSample,
  { perRow, perAnswer }: Measured,
): Pick<JobEstimate, 'seconds' | 'parts' | 'steps' | 'stepSeconds'> {
  const rowsOfBatch = Math.min(settings.batchRows, task.calibrationRows);
  const { total: steps } = foreseenWork(model.decoder, settings, {
    rounds,
    batches: Math.ceil(task.calibrationRows / settings.batchRows),
    heldoutBatches: task.heldoutRows / rowsOfBatch,
    smallBatchShare: Math.min(1, smallBatchRows(settings) / rowsOfBatch),
    loss: lossKindFor(task.learnsFromFile ? 'file' : 'own'),
  });
  const stepSeconds = perRow * rowsOfBatch;
  const parts = {
    answers: task.learnsFromFile ? 0 : perAnswer * (task.calibrationRows + task.heldoutRows),
    calibration: steps * stepSeconds,
    comparison: 2 * perAnswer * Math.min(settings.answerRows, task.heldoutRows),
  };
  return { seconds: parts.answers + parts.calibration + parts.comparison, parts, steps, stepSeconds };
}

interface TaskSample {
  /** A few rows of usual length. */
  rows: EncodedRow[];
  calibrationRows: number;
  heldoutRows: number;
  learnsFromFile: boolean;
}

async function sampleOfTask(model: SourceModel, settings: JobSettings): Promise<TaskSample> {
  const reader = { tokenizer: await loadTokenizer(model.source.folder), model: model.decoder };
  const task = await readRows(reader, settings);
  const { calibration, hasResponses, responses } = task;
  // Encoded as the job does it: rows that are too long count nowhere.
  const usable = (side: Side) => usedRows(reader, task, side, settings).rows.length;
  // The file's answers say best how long the model's own will be.
  const source = hasResponses ? 'file' : 'own';
  const { rows } = encodeSide(reader, calibration.slice(0, SAMPLE_ROWS), source, settings);
  const { contextLength = Infinity } = model.decoder;
  return {
    rows:
      source === 'file'
        ? rows
        : rows.map((row) =>
            appendResponse(
              row,
              Array.from(
                { length: Math.min(USUAL_ANSWER_TOKENS, contextLength - row.ids.length) },
                () => row.ids[0]!,
              ),
            ),
          ),
    calibrationRows: usable('calibration'),
    heldoutRows: usable('heldout'),
    learnsFromFile: responses === 'file',
  };
}

function memoryNeeded(model: SourceModel, settings: JobSettings, task: TaskSample): MemoryNeed {
  const { decoder, source } = model;
  const { blocks, total } = describeDecoder(decoder);
  // Whatever 'auto' takes, the CPU must do where that fails.
  const need = ['cpu', 'auto'].includes(settings.provider) ? layersNeed : wholeNeed;
  return need({
    modelBytes: modelBytes(model),
    parameters: total.parameters,
    layers: decoder.layerCount,
    hiddenSize: decoder.hiddenSize,
    vocabularySize: decoder.vocabularySize,
    heads: Number(source.config.num_attention_heads ?? source.config.n_head ?? 16),
    layerParameters: blocks.reduce((sum, { parameters }) => sum + parameters, 0) / decoder.layerCount,
    rows: Math.min(settings.batchRows, task.calibrationRows),
    rowTokens: Math.max(...task.rows.map((row) => row.ids.length)),
    responseTokens: Math.max(...task.rows.map((row) => row.ids.length - row.responseStart)),
  });
}

function refusalOf(
  { bytes, largest }: MemoryNeed,
  available: number,
  inElectron: boolean,
): string | undefined {
  if (bytes > available) {
    return `It needs about ${formatBytes(bytes)} of memory and ${formatBytes(available)} are free. Choose a smaller batch or shorter rows, or set a memory limit (advanced settings): the model then runs a few layers at a time.`;
  }
  if (inElectron && largest > ELECTRON_LIMIT) {
    return `A batch would need a single piece of memory of ${formatBytes(largest)}, more than the app's own engine can have; choose a smaller batch, or let the engine run in Node (Settings).`;
  }
  return undefined;
}

function limitRefusal(limit: number, available: number): string | undefined {
  if (limit <= available) return undefined;
  return `The memory limit is ${formatBytes(limit)}, but only ${formatBytes(available)} are free; lower the limit or close other programs.`;
}

/** Seconds that a row takes in a forward pass, from a gradient step. */
async function secondsPerRow(
  model: SourceModel,
  rows: readonly EncodedRow[],
  runOptions: RunOptions,
): Promise<number> {
  const gradient = await openGradientModel(model.decoder, {
    skipped: [],
    granularity: 'scalar',
    runOptions,
  });
  try {
    const batch = makeLossBatch(model.decoder, rows, 0);
    await gradient.run(batch, new Map());
    const started = performance.now();
    await gradient.run(batch, new Map());
    return (performance.now() - started) / 1000 / rows.length / GRADIENT_STEP_COST;
  } finally {
    await gradient.release();
  }
}

async function secondsPerAnswer(
  model: SourceModel,
  settings: JobSettings,
  rows: readonly EncodedRow[],
  prompts: readonly (readonly number[])[],
  runOptions: RunOptions,
): Promise<number> {
  const lengths = rows.map((row) => row.ids.length - row.responseStart).toSorted((a, b) => a - b);
  const tokens = Math.min(settings.maxNewTokens, lengths[lengths.length >> 1] ?? USUAL_ANSWER_TOKENS);
  const generator = await Generator.openForBatches(model.decoder, runOptions);
  try {
    await generator.generate(prompts, { maxNewTokens: MEASURED_TOKENS, stopTokens: new Set() });
    const { promptSeconds, newSeconds, newTokens } = generator.timing;
    // A prompt that fills the context is answered with one token, out of its own run.
    return promptSeconds / prompts.length + (tokens * newSeconds) / Math.max(1, newTokens);
  } finally {
    await generator.release();
  }
}
