/** Two models to compare, loaded: an original and a point of a run's curve, or any two models. */
import type { RunPoint } from '../../../schema/runs.js';
import type { ModelChoice } from '../../../schema/values.js';
import { loadTokenizer, type ModelTokenizer } from '../../data/tokenizer.js';
import { Generator } from '../../generate/generator.js';
import type { Decoder } from '../../decoder/decoder.js';
import type { RunOptions } from '../../runtime/session.js';
import type { Device, JobContext } from '../context.js';
import type { GeneratorPair } from './kept-models.js';
import { onDevice } from './device.js';
import { MemoryPlanner } from './memory-plan.js';
import { openPoint } from './points.js';
import { onnxModel, openAnyModel } from './imported-model.js';
import type { SourceModel } from './source-model.js';
import { slimmedForAnswers } from './write-point.js';

/** A point of a run's curve beside its original, or one model beside another. */
export type ComparedModels = RunPoint | { original: ModelChoice; slimmed: ModelChoice };

/** Where nothing else is known, prompts are planned to be as long as this, and answers, too. */
const PLANNED_TOKENS = 512;

/** What is compared, found but not loaded. */
interface Found {
  key: string;
  model: SourceModel;
  /** The slimmed model for sessions of these options. */
  slimmed(runOptions: RunOptions): Promise<Decoder>;
  device: Device;
  memory: number | undefined;
  promptTokens: number;
  newTokens: number;
}

/**
 * Work with both models loaded; they stay loaded until others are asked for.
 * @throws UserError if a model cannot be opened or onnxruntime cannot load it
 */
export async function withPair<T>(
  compared: ComparedModels,
  context: JobContext,
  work: (pair: GeneratorPair, tokenizer: ModelTokenizer) => Promise<T>,
): Promise<T> {
  const found = await find(compared, context);
  const tokenizer = await loadTokenizer(found.model.source.folder);
  return await onDevice(
    found.device,
    (runOptions) =>
      context.kept.withPair(
        JSON.stringify([found.key, runOptions.provider]),
        () => load(found, runOptions),
        (pair) => work(pair, tokenizer),
      ),
    (reason) => context.on({ type: 'provider', reason }),
  );
}

async function find(compared: ComparedModels, context: JobContext): Promise<Found> {
  const key = JSON.stringify(compared);
  if ('run' in compared) {
    const point = await openPoint(compared, context);
    const { settings } = point.run;
    return {
      key,
      model: point.models.reference,
      slimmed: async (runOptions) =>
        slimmedForAnswers(point.models.model, point, settings.scales, runOptions),
      device: settings,
      memory: settings.memory,
      promptTokens: settings.maxTokens,
      newTokens: settings.maxNewTokens,
    };
  }
  const { original, slimmed } = compared;
  const { memory, device } = context;
  const model = await context.kept.model(await onnxModel(original, context), memory);
  const planned = { promptTokens: PLANNED_TOKENS, newTokens: PLANNED_TOKENS };
  return {
    key,
    model,
    slimmed: async () => (await openAnyModel(slimmed, context, memory)).decoder,
    device,
    memory,
    ...planned,
  };
}

async function load(found: Found, runOptions: RunOptions): Promise<GeneratorPair> {
  const { model, memory, promptTokens, newTokens } = found;
  const { contextLength = Infinity } = model.decoder;
  const prompt = Array.from({ length: Math.min(promptTokens, contextLength) }, () => 0);
  const planner = new MemoryPlanner(memory, runOptions);
  const plan = await planner.forGeneration(model.decoder, [prompt], newTokens);
  const original = await Generator.open(model.decoder, plan.runOptions, plan.batchRows);
  try {
    const decoder = await found.slimmed(plan.runOptions);
    return { original, slimmed: await Generator.open(decoder, plan.runOptions, plan.batchRows) };
  } catch (error) {
    await original.release();
    throw error;
  }
}
