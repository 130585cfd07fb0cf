/** What a model is made of, and what skipping its blocks brings. */
import { statSync } from 'node:fs';
import path from 'node:path';
import {
  SKIPPABLE_KINDS,
  type BlockKind,
  type BlockSavings,
  type DecoderDescription,
  type ModelDescription,
} from '../../schema/blocks.js';
import { UserError } from '../../schema/errors.js';
import type { ModelChoice } from '../../schema/values.js';
import { largestBudget } from '../calibrate/select/candidates.js';
import { loadTokenizer } from '../data/tokenizer.js';
import { describeDecoder } from '../decoder/describe.js';
import { onnxFiles } from '../onnx/file/model-folder.js';
import type { JobContext } from './context.js';
import { onnxModel } from './parts/imported-model.js';
import { modelBytes } from './parts/model-files.js';
import type { SourceModel } from './parts/source-model.js';

/** @throws UserError if there is no model, it is broken, or of a kind that is not supported */
export async function describeModel(request: ModelChoice, context: JobContext): Promise<ModelDescription> {
  const model = await context.kept.model(await onnxModel(request, context), context.memory);
  const { folder, modelFile, config } = model.source;
  const description = describeDecoder(model.decoder);
  const told = config.max_position_embeddings ?? config.n_positions;
  const ends = [told, model.decoder.contextLength].filter((length) => typeof length === 'number');
  return {
    model: request.model,
    modelFile: request.modelFile,
    name: model.name,
    folder,
    file: modelFile,
    files: onnxFiles(folder).map((file) => ({ file, bytes: statSync(path.join(folder, file)).size })),
    family: typeof config.model_type === 'string' ? config.model_type : undefined,
    contextLength: ends.length === 0 ? undefined : Math.min(...ends),
    ...description,
    fileBytes: modelBytes(model),
    tokenizer: await describeTokenizer(folder),
    savings: Object.fromEntries(
      SKIPPABLE_KINDS.map((kind) => [kind, blockSavings(kind, model, description)]),
    ),
  };
}

async function describeTokenizer(folder: string): Promise<ModelDescription['tokenizer']> {
  try {
    const { vocabularySize, chatTemplate, modelMaxLength } = await loadTokenizer(folder);
    return { found: true, vocabularySize, chatTemplate: chatTemplate !== undefined, modelMaxLength };
  } catch (error) {
    if (error instanceof UserError) return { found: false, message: error.message };
    throw error;
  }
}

function blockSavings(
  kind: BlockKind,
  { decoder }: SourceModel,
  description: DecoderDescription,
): BlockSavings | undefined {
  const blocks = description.blocks.filter((block) => block.kind === kind);
  if (blocks.length === 0) return undefined;
  const bytes = mean(blocks.map((block) => block.bytes));
  const caches = blocks.flatMap((block) => block.cacheBytesPerToken ?? []);
  const cache = caches.length === 0 ? undefined : mean(caches);
  const whole = description.cacheBytesPerToken;
  return {
    largestBudget: largestBudget(decoder, [kind]),
    bytes,
    share: description.total.bytes === 0 ? 0 : bytes / description.total.bytes,
    cacheBytesPerToken: whole ? cache : undefined,
    cacheShare: whole && cache !== undefined ? cache / whole : undefined,
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
