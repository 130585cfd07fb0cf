/** One of several models that are compared: found by its name, loaded, asked. */
import path from 'node:path';
import type { ComparedModel } from '../../../schema/comparison.js';
import { loadTokenizer, type ModelTokenizer } from '../../data/tokenizer.js';
import type { Decoder } from '../../decoder/decoder.js';
import { Generator } from '../../generate/generator.js';
import { openModelFolder } from '../../onnx/file/model-folder.js';
import { findImportable } from '../../import/sources/open-source.js';
import type { RunOptions } from '../../runtime/session.js';
import type { Device, JobContext } from '../context.js';
import { onDevice } from './device.js';
import { onnxModel } from './imported-model.js';
import { MemoryPlanner } from './memory-plan.js';
import { openPoint, runModels } from './points.js';
import { slimmedForAnswers } from './write-point.js';

interface FoundModel {
  folder: string;
  decoder(runOptions: RunOptions): Decoder;
  device: Device;
  memory: number | undefined;
}

/** Where nothing else is known, prompts are planned to be as long as this. */
const PLANNED_TOKENS = 512;

/**
 * What people call models that are held against each other: those of one name are told apart by when their run began, or
 * by the folder that they lie in.
 * @throws UserError if one is not there, or a point has no scales
 */
export async function comparedNames(
  models: readonly ComparedModel[],
  context: JobContext,
): Promise<string[]> {
  const names: string[] = [];
  for (const model of models) names.push(await comparedName(model, context));
  const isShared = (name: string) => names.filter((other) => other === name).length > 1;
  return names.map((name, place) => {
    if (!isShared(name)) return name;
    const model = models[place]!;
    if (model.kind === 'model')
      return path.join(path.basename(path.dirname(path.resolve(model.model))), name);
    const { created } = context.store.openExactly(model.run);
    return `${name}, run of ${created.slice(0, 19).replace('T', ' ')} UTC`;
  });
}

/** What people call a model. @throws UserError if it is not there, or the point has no scales */
async function comparedName(which: ComparedModel, context: JobContext): Promise<string> {
  if (which.kind === 'model') {
    if (!findImportable(which.model)) openModelFolder(which.model, which.modelFile);
    return path.basename(path.resolve(which.model));
  }
  if (which.blocks === 0) {
    await runModels(which, context);
    return `${context.store.openExactly(which.run).modelName}, original`;
  }
  const { run } = await openPoint(which, context);
  const title = run.title ?? `${run.modelName}, ${run.datasetName}`;
  return `${title}, ${which.blocks} skipped`;
}

/**
 * Work with a model that is loaded for it alone.
 * @throws UserError if the model cannot be opened or onnxruntime cannot load it
 */
export async function withComparedModel<T>(
  which: ComparedModel,
  maxNewTokens: number,
  context: JobContext,
  work: (generator: Generator, tokenizer: ModelTokenizer) => Promise<T>,
): Promise<T> {
  const { folder, decoder, device, memory } = await find(which, context);
  const tokenizer = await loadTokenizer(folder);
  return await onDevice(
    device,
    async (runOptions) => {
      const whole = decoder(runOptions);
      const prompt = Array.from(
        { length: Math.min(PLANNED_TOKENS, whole.contextLength ?? Infinity) },
        () => 0,
      );
      const plan = await new MemoryPlanner(memory, runOptions).forGeneration(whole, [prompt], maxNewTokens);
      const planned = plan.runOptions.segments ? decoder(plan.runOptions) : whole;
      const generator = await Generator.open(planned, plan.runOptions, 1);
      try {
        return await work(generator, tokenizer);
      } finally {
        await generator.release();
      }
    },
    (reason) => context.on({ type: 'provider', reason }),
  );
}

async function find(which: ComparedModel, context: JobContext): Promise<FoundModel> {
  if (which.kind === 'model') {
    const { device, memory } = context;
    const model = await context.kept.model(await onnxModel(which, context), memory);
    return { folder: model.source.folder, decoder: () => model.decoder, device, memory };
  }
  if (which.blocks === 0) {
    const { settings } = context.store.openExactly(which.run);
    const { original } = await runModels(which, context);
    return {
      folder: original.source.folder,
      decoder: () => original.decoder,
      device: settings,
      memory: settings.memory,
    };
  }
  const point = await openPoint(which, context);
  const { models, run } = point;
  return {
    folder: models.reference.source.folder,
    decoder: (runOptions) => slimmedForAnswers(models.model, point, run.settings.scales, runOptions),
    device: run.settings,
    memory: run.settings.memory,
  };
}
