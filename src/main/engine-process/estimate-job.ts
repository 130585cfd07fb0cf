/** How long a job will take and how much memory it needs, from a short measurement on this machine. */
import os from 'node:os';
import { candidateBlocks, largestBudget, selectionStrategy } from '../../engine/calibrate/select-blocks.js';
import { openGradientModel } from '../../engine/calibrate/gradient-model.js';
import { GRADIENT_STEP_COST } from '../../engine/calibrate/selection-strategy.js';
import { makeLossBatch } from '../../engine/calibrate/loss-batch.js';
import { guessColumns, parseColumnMapping } from '../../engine/data/columns.js';
import { readDataset } from '../../engine/data/dataset.js';
import {
  appendResponse,
  encodeExamples,
  encodePrompts,
  type EncodedRow,
} from '../../engine/data/encode-examples.js';
import { isTextExample, toExamples } from '../../engine/data/examples.js';
import { describeDecoder } from '../../engine/decoder/describe.js';
import { loadTokenizer } from '../../engine/data/tokenizer.js';
import { Generator } from '../../engine/generate/generator.js';
import type { SourceModel } from '../../engine/open-source-model.js';
import { splitExamples } from '../../engine/prepare-task.js';
import { branchKinds, sessionOptions, trainingSettings, type SlimSettings } from '../../engine/settings.js';
import type { JobEstimate } from '../../shared/job-settings.js';
import { modelBytes } from './describe-model.js';
import { memoryNeed, type MemoryNeed } from './memory-need.js';

/** Electron's allocator ends the process above this (../shared/docs/electron-here.md). */
const ELECTRON_LIMIT = 2 ** 30;
const MEASURED_ROWS = 4;
const MEASURED_TOKENS = 8;
/** Of an answer whose length is not known yet. */
const USUAL_ANSWER_TOKENS = 48;

/**
 * @param isElectron whether allocations are limited as in Electron
 * @throws UserError if model or dataset cannot be read
 */
export async function estimateJob(
  model: SourceModel,
  settings: SlimSettings,
  isElectron: boolean,
): Promise<JobEstimate> {
  const task = await sampleOfTask(model, settings);
  const steps = foreseenSteps(model, settings, task.calibrationRows);
  const availableBytes = os.freemem();
  const memory = memoryNeeded(model, settings, task);
  const refusal = refusalOf(memory, availableBytes, isElectron);
  const parts = { answers: 0, calibration: 0, comparison: 0 };
  if (refusal !== undefined) {
    return {
      fits: false,
      reason: refusal,
      parts,
      steps,
      stepSeconds: 0,
      memoryBytes: memory.bytes,
      availableBytes,
    };
  }
  const perRow = await secondsPerRow(model, settings, task.rows);
  const perAnswer = await secondsPerAnswer(model, settings, task.rows);
  const stepSeconds = perRow * Math.min(settings.batchRows, task.calibrationRows);
  parts.calibration = steps * stepSeconds;
  parts.comparison = 2 * perAnswer * Math.min(settings.answerRows, task.heldoutRows);
  parts.answers = task.learnsFromFile ? 0 : perAnswer * (task.calibrationRows + task.heldoutRows);
  return {
    fits: true,
    seconds: parts.answers + parts.calibration + parts.comparison,
    parts,
    steps,
    stepSeconds,
    memoryBytes: memory.bytes,
    availableBytes,
  };
}

interface TaskSample {
  /** A few rows of usual length. */
  rows: EncodedRow[];
  calibrationRows: number;
  heldoutRows: number;
  learnsFromFile: boolean;
}

async function sampleOfTask(model: SourceModel, settings: SlimSettings): Promise<TaskSample> {
  const tokenizer = await loadTokenizer(model.source.folder);
  const dataset = await readDataset(settings.dataset);
  const mapping = settings.columns ? parseColumnMapping(settings.columns) : guessColumns(dataset).mapping;
  const { examples } = toExamples(dataset, mapping);
  const { calibration, heldout } = splitExamples(examples, settings);
  const some = calibration.slice(0, 32);
  const learnsFromFile = settings.responses === 'file' || examples.every(isTextExample);
  const limit = { maxTokens: settings.maxTokens, overlong: settings.overlong, path: settings.dataset };
  const rows = some.every((example) => isTextExample(example) || example.response !== undefined)
    ? encodeExamples(tokenizer, some, limit).rows
    : encodePrompts(tokenizer, some, {
        maxTokens: settings.maxTokens - 1,
        path: settings.dataset,
      }).prompts.map((prompt) =>
        appendResponse(
          prompt,
          Array.from({ length: USUAL_ANSWER_TOKENS }, () => prompt.ids.at(-1)!),
        ),
      );
  return { rows, calibrationRows: calibration.length, heldoutRows: heldout.length, learnsFromFile };
}

/** Work of the calibration in forward passes of a batch; held-out rows are measured after each epoch. */
function foreseenSteps(model: SourceModel, settings: SlimSettings, rows: number): number {
  const batches = Math.ceil(rows / settings.batchRows);
  const kinds = branchKinds(settings);
  const largest = largestBudget(model.decoder, kinds);
  const rounds =
    settings.budget.kind === 'blocks' ? Math.min(settings.budget.blocks, largest) : Math.ceil(largest / 2);
  const candidates = candidateBlocks(model.decoder, kinds, []).length;
  const strategy = selectionStrategy(settings.strategy);
  const trainings = settings.trainPoints === 'all' || settings.budget.kind === 'quality' ? rounds : 1;
  const epoch = (GRADIENT_STEP_COST + 0.5) * batches;
  let steps = trainings * trainingSettings(settings).epochs * epoch;
  for (let round = 0; round < rounds; round += 1) {
    steps += strategy.costOfRound(candidates - round, batches, round);
  }
  return steps;
}

function memoryNeeded(model: SourceModel, settings: SlimSettings, task: TaskSample): MemoryNeed {
  const { decoder, source } = model;
  const { blocks, total } = describeDecoder(decoder);
  return memoryNeed({
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
  isElectron: boolean,
): string | undefined {
  const gigabytes = (size: number) => `${(size / 1e9).toFixed(1)} GB`;
  if (bytes > available) {
    return `It needs about ${gigabytes(bytes)} of memory and ${gigabytes(available)} are free; choose a smaller batch or shorter rows, or close other programs.`;
  }
  if (isElectron && largest > ELECTRON_LIMIT) {
    return `A batch would need a single piece of memory of ${gigabytes(largest)}, more than the app's own engine can have; choose a smaller batch, or let the engine run in Node (Settings).`;
  }
  return undefined;
}

/** Of a forward pass, from a gradient step. */
async function secondsPerRow(
  model: SourceModel,
  settings: SlimSettings,
  rows: readonly EncodedRow[],
): Promise<number> {
  const few = rows.slice(0, MEASURED_ROWS);
  const gradient = await openGradientModel(model.decoder, {
    skipped: [],
    granularity: 'scalar',
    session: await sessionOptions(settings),
  });
  try {
    const batch = makeLossBatch(model.decoder, few, 0);
    await gradient.run(batch, new Map());
    const started = performance.now();
    await gradient.run(batch, new Map());
    return (performance.now() - started) / 1000 / few.length / GRADIENT_STEP_COST;
  } finally {
    await gradient.release();
  }
}

async function secondsPerAnswer(
  model: SourceModel,
  settings: SlimSettings,
  rows: readonly EncodedRow[],
): Promise<number> {
  const few = rows.slice(0, MEASURED_ROWS);
  const lengths = rows.map((row) => row.ids.length - row.responseStart).toSorted((a, b) => a - b);
  const tokens = Math.min(settings.maxNewTokens, lengths[lengths.length >> 1] ?? USUAL_ANSWER_TOKENS);
  const generator = await Generator.open(model.decoder, await sessionOptions(settings));
  try {
    await generator.generate(
      few.map((row) => row.ids.slice(0, Math.max(1, row.responseStart))),
      { maxNewTokens: MEASURED_TOKENS, stopTokens: new Set() },
    );
    const { promptSeconds, newSeconds } = generator.timing;
    return (promptSeconds + (newSeconds * tokens) / (MEASURED_TOKENS - 1)) / few.length;
  } finally {
    await generator.release();
  }
}
