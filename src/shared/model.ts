/** Step 1, the model: choosing one, and what it is made of. */
import * as v from 'valibot';
import { blockName, blockKind, count, filePath, modelChoice, share } from './values.js';

const weights = { parameters: count, bytes: count };
export const weightTotals = v.object(weights);

export const blockDescription = v.object({
  ...weights,
  name: blockName,
  layer: count,
  kind: blockKind,
  /** Part of the bytes of all weights. */
  share,
  /** Bytes of keys and values that a token leaves in the cache; absent without a cache of known shape. */
  cacheBytesPerToken: v.optional(v.number()),
});
export type BlockDescription = v.InferOutput<typeof blockDescription>;

/** What skipping one block of a kind brings, on average over the model's blocks of that kind. */
export const blockSavings = v.object({
  /** How many blocks of this kind may be skipped at the most. */
  largestBudget: count,
  bytes: v.number(),
  /** Part of the model's weights, so about of its file. */
  share,
  cacheBytesPerToken: v.optional(v.number()),
  /** Part of the KV cache. */
  cacheShare: v.optional(share),
  /** Part of the multiplications of a token at a short context: an estimate of the time saved. */
  computeShare: share,
});
export type BlockSavings = v.InferOutput<typeof blockSavings>;

export const modelDescription = v.object({
  ...modelChoice.entries,
  /** The folder's name, for people; of a cached model 'owner/name'. */
  name: v.string(),
  /** Absolute path of the folder that holds the configs and the tokenizer. */
  folder: filePath,
  /** The ONNX file, relative to the folder, with forward slashes. */
  file: filePath,
  /** ONNX files of the folder that could be chosen instead, this one included. */
  files: v.array(v.object({ file: filePath, bytes: count })),
  /** Whether it is the model that comes with the app. */
  isSample: v.boolean(),
  /** model_type of config.json, such as 'llama'; absent without a config. */
  family: v.optional(v.string()),
  producer: v.string(),
  opset: count,
  /** Bytes on disk of the ONNX file and its external weights. */
  fileBytes: count,
  layers: count,
  hiddenSize: count,
  vocabularySize: count,
  /** Whether a layer's attention and MLP read the same value of the stream. */
  parallel: v.boolean(),
  /** Longest context that config.json names. */
  contextLength: v.optional(count),
  blocks: v.array(blockDescription),
  embedding: weightTotals,
  head: weightTotals,
  shared: weightTotals,
  total: weightTotals,
  /** Element types of the weights, the largest share of bytes first. */
  precision: v.array(v.object({ type: v.string(), bytes: count, share })),
  cacheBytesPerToken: v.optional(v.number()),
  tokenizer: v.variant('found', [
    v.object({
      found: v.literal(true),
      vocabularySize: count,
      chatTemplate: v.boolean(),
      modelMaxLength: v.optional(count),
    }),
    /** Without a tokenizer a model can be looked at, not slimmed. */
    v.object({ found: v.literal(false), message: v.string() }),
  ]),
  savings: v.object({ attention: v.optional(blockSavings), mlp: v.optional(blockSavings) }),
});
export type ModelDescription = v.InferOutput<typeof modelDescription>;

/** A model that can be opened with one click. */
export const knownModel = v.object({
  ...modelChoice.entries,
  name: v.string(),
  bytes: v.optional(count),
  family: v.optional(v.string()),
  /** False if its folder is gone. */
  exists: v.boolean(),
  isSample: v.boolean(),
});
export type KnownModel = v.InferOutput<typeof knownModel>;

export const modelRequests = {
  /** A dialog; no path if the user cancelled. */
  'model.choose': {
    input: v.object({ what: v.picklist(['folder', 'file']) }),
    output: v.object({ path: v.optional(filePath) }),
  },
  /** Reads a model; it then stands first among the recent ones. */
  'model.open': { input: modelChoice, output: modelDescription },
  'model.recent': { input: v.undefined(), output: v.array(knownModel) },
  'model.forget': { input: modelChoice, output: v.array(knownModel) },
  /** Models with ONNX files in the Hugging Face cache. */
  'model.found': { input: v.undefined(), output: v.array(knownModel) },
} as const;
