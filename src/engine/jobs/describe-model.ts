/** A model as step 1 shows it. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { largestBudget } from '../calibrate/select/select-blocks.js';
import { loadTokenizer } from '../data/tokenizer.js';
import { describeDecoder, type DecoderDescription } from '../decoder/describe.js';
import { UserError } from '../../schema/errors.js';
import { resolveExternalPath } from '../onnx/file/external-data.js';
import { externalFiles } from '../onnx/file/model-file.js';
import { onnxFiles } from '../onnx/file/model-folder.js';
import type { SourceModel } from './parts/source-model.js';
import type { BlockSavings, ModelDescription } from '../../shared/model.js';
import type { BlockKind, ModelChoice } from '../../shared/values.js';

/** @param sample folder of the model that comes with the app */
export async function describeModel(
  choice: ModelChoice,
  model: SourceModel,
  sample: string,
): Promise<ModelDescription> {
  const { folder, modelFile, config } = model.source;
  const description = describeDecoder(model.decoder);
  const family = config.model_type;
  const contextLength = config.max_position_embeddings ?? config.n_positions;
  return {
    model: choice.model,
    ...(choice.modelFile === undefined ? {} : { modelFile: choice.modelFile }),
    name: modelName(model),
    folder,
    file: modelFile,
    files: onnxFiles(folder).map((file) => ({ file, bytes: statSync(path.join(folder, file)).size })),
    isSample: path.resolve(folder) === path.resolve(sample),
    ...(typeof family === 'string' ? { family } : {}),
    ...(typeof contextLength === 'number' ? { contextLength } : {}),
    ...description,
    fileBytes: modelBytes(model),
    tokenizer: await describeTokenizer(folder),
    savings: savingsByKind(model, description),
  };
}

/** The folder's name; of a model in the Hugging Face cache 'owner/name'. */
export function modelName({ name, source }: SourceModel): string {
  const cached = /models--([^/\\]+)[/\\]snapshots[/\\]/.exec(source.folder)?.[1];
  return cached === undefined ? name : cached.split('--').join('/');
}

/** Bytes on disk of the ONNX file and its external weights. */
export function modelBytes({ source, decoder }: SourceModel): number {
  const folder = path.dirname(source.modelPath);
  const files = externalFiles(decoder.model).map((location) =>
    resolveExternalPath(folder, location, location),
  );
  return [source.modelPath, ...files].reduce((sum, file) => sum + statSync(file).size, 0);
}

async function describeTokenizer(folder: string): Promise<ModelDescription['tokenizer']> {
  try {
    const tokenizer = await loadTokenizer(folder);
    return {
      found: true,
      vocabularySize: tokenizer.vocabularySize,
      chatTemplate: tokenizer.chatTemplate !== undefined,
      ...(tokenizer.modelMaxLength === undefined ? {} : { modelMaxLength: tokenizer.modelMaxLength }),
    };
  } catch (error) {
    if (error instanceof UserError) return { found: false, message: error.message };
    throw error;
  }
}

function savingsByKind(model: SourceModel, description: DecoderDescription): ModelDescription['savings'] {
  const attention = blockSavings('attention', model, description);
  const mlp = blockSavings('mlp', model, description);
  return { ...(attention ? { attention } : {}), ...(mlp ? { mlp } : {}) };
}

function blockSavings(
  kind: BlockKind,
  model: SourceModel,
  description: DecoderDescription,
): BlockSavings | undefined {
  const blocks = description.blocks.filter((block) => block.kind === kind);
  if (blocks.length === 0) return undefined;
  const bytes = mean(blocks.map((block) => block.bytes));
  const caches = blocks.flatMap((block) => block.cacheBytesPerToken ?? []);
  const cache = caches.length === 0 ? undefined : mean(caches);
  return {
    largestBudget: largestBudget(model.decoder, [kind]),
    bytes,
    share: description.total.bytes === 0 ? 0 : bytes / description.total.bytes,
    ...(cache === undefined || !description.cacheBytesPerToken
      ? {}
      : { cacheBytesPerToken: cache, cacheShare: cache / description.cacheBytesPerToken }),
    computeShare: bytes / Math.max(1, computedBytes(description)),
  };
}

/** Bytes of the weights that every token is multiplied by: all but an embedding, of which a token reads one row. */
function computedBytes({ blocks, head, shared }: DecoderDescription): number {
  return blocks.reduce((sum, block) => sum + block.bytes, 0) + head.bytes + shared.bytes;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
