/** How well a model does a task, alone or beside the model it was made from. */
import type { AnswerFigures, HeldoutQuality, ResourceFigures } from '../../schema/report.js';
import type { JobSettings } from '../../schema/settings.js';
import type { ModelChoice } from '../../schema/values.js';
import { heldoutQuality } from '../evaluate/heldout-quality.js';
import { Generator } from '../generate/generator.js';
import { openForwardModel } from '../loss/forward-model.js';
import { KeptStream } from '../loss/kept-stream.js';
import type { RunOptions } from '../runtime/session.js';
import type { JobContext } from './context.js';
import { heldoutAnswers } from './parts/answers.js';
import { taskBatches } from './parts/batches.js';
import { onDevice } from './parts/device.js';
import { MemoryPlanner } from './parts/memory-plan.js';
import { sizeFigures } from './parts/model-files.js';
import { openAnyModel } from './parts/imported-model.js';
import type { SourceModel } from './parts/source-model.js';
import { speedOf } from './parts/speed.js';
import { prepareTask, type PreparedTask } from './parts/task.js';

export interface EvaluateRequest {
  /** The model, the task and how both are read; what says how to slim is not looked at. */
  settings: JobSettings;
  /** A slimmed model to measure beside it. */
  against?: ModelChoice;
}

/** Figures of the slimmed model only where there is one. */
export interface Evaluation extends ResourceFigures {
  /** Held-out rows. */
  rows: number;
  name: string;
  againstName?: string;
  original: HeldoutQuality;
  slimmed?: HeldoutQuality;
  answers?: AnswerFigures;
}

/** @throws UserError for anything the user can mend; CancelledError if stopped */
export async function evaluate(
  { settings, against }: EvaluateRequest,
  context: JobContext,
): Promise<Evaluation> {
  const { memory } = settings;
  const model = await openAnyModel(settings, context, memory);
  const other = against && (await openAnyModel(against, context, memory));
  return await onDevice(
    settings,
    async (runOptions) => {
      const planner = new MemoryPlanner(memory, runOptions);
      const task = await prepareTask(model, settings, planner, context);
      const quality = await qualities(model, other, task, settings, planner, context);
      return {
        rows: quality.original.rows,
        name: model.name,
        againstName: other?.name,
        ...quality,
        answers: await answerFigures(model, other ?? model, task, settings, planner, context),
        ...(other && (await resources(model, other, task, settings, planner, runOptions, context))),
      };
    },
    (reason) => context.on({ type: 'provider', reason }),
  );
}

async function qualities(
  model: SourceModel,
  other: SourceModel | undefined,
  task: PreparedTask,
  settings: JobSettings,
  planner: MemoryPlanner,
  { signal }: JobContext,
): Promise<{ original: HeldoutQuality; slimmed?: HeldoutQuality }> {
  const { heldout } = taskBatches(model, task, settings);
  // One plan for both: where layers are loaded in turn, they are those of one model at a time.
  const runOptions = planner.forPasses(model.decoder);
  const open = async ({ decoder }: SourceModel) => ({
    model: await openForwardModel(decoder, { skipped: [], granularity: 'scalar', runOptions }),
    scales: new Map(),
  });
  const original = await open(model);
  try {
    const kept = other && KeptStream.for(original.model, runOptions);
    const quality = await heldoutQuality(original, heldout, { signal, keep: kept });
    if (!other) return { original: quality };
    const slimmed = await open(other);
    try {
      // Each model has its own cache inputs, so each gets its own batches.
      const own = taskBatches(other, task, settings).heldout;
      const options = { original: { ...original, kept }, originalBatches: heldout, signal };
      return { original: quality, slimmed: await heldoutQuality(slimmed, own, options) };
    } finally {
      await slimmed.model.release();
    }
  } finally {
    await original.model.release();
  }
}

async function answerFigures(
  model: SourceModel,
  other: SourceModel,
  task: PreparedTask,
  { answerRows, maxNewTokens }: JobSettings,
  planner: MemoryPlanner,
  context: JobContext,
): Promise<AnswerFigures | undefined> {
  const prompts = task.prompts.slice(0, answerRows).map(({ ids }) => ids);
  if (prompts.length === 0) return undefined;
  const { runOptions, batchRows } = await planner.forGeneration(model.decoder, prompts, maxNewTokens);
  const original = await Generator.openForBatches(model.decoder, runOptions, batchRows);
  try {
    const slimmed = await Generator.openForBatches(other.decoder, runOptions, batchRows);
    try {
      const answers = await heldoutAnswers({ original, slimmed }, task, answerRows, maxNewTokens, context);
      const { rows: _, ...figures } = answers!;
      return figures;
    } finally {
      await slimmed.release();
    }
  } finally {
    await original.release();
  }
}

async function resources(
  model: SourceModel,
  other: SourceModel,
  task: PreparedTask,
  { speedRounds }: JobSettings,
  planner: MemoryPlanner,
  runOptions: RunOptions,
  context: JobContext,
): Promise<ResourceFigures> {
  return {
    sizes: { original: sizeFigures(model), slimmed: sizeFigures(other) },
    ...(await speedOf(model, other.source.modelPath, task, speedRounds, planner, runOptions, context)),
  };
}
