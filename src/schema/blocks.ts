/** Blocks of a decoder: what they are called, what each weighs, and what skipping one brings. */
import * as v from 'valibot';
import { count, filePath, modelChoice, share } from './values.js';

/** In the order in which a layer has them; a layer has attention or a convolution. */
export const BLOCK_KINDS = ['attention', 'convolution', 'mlp'] as const;
export const blockKind = v.picklist(BLOCK_KINDS);
export type BlockKind = v.InferOutput<typeof blockKind>;

/** Those that can be skipped: convolutions always stay. */
export const SKIPPABLE_KINDS = ['attention', 'mlp'] as const satisfies readonly BlockKind[];
export type SkippableKind = (typeof SKIPPABLE_KINDS)[number];

/** 'attention 7' or 'mlp 0'; layers count from 0 at the input. */
export type BlockName = `${BlockKind} ${number}`;
export const blockName = v.custom<BlockName>(
  (value) => typeof value === 'string' && /^(attention|convolution|mlp) \d{1,4}$/.test(value),
  "not the name of a block such as 'attention 3'",
);

/** Elements of weights (packed ones, several to a byte, count as stored) and their bytes. */
export const weightTotals = v.object({ parameters: count, bytes: count });
export type WeightTotals = v.InferOutput<typeof weightTotals>;

export const blockDescription = v.object({
  ...weightTotals.entries,
  name: blockName,
  layer: count,
  kind: blockKind,
  /** False for mixtures of experts and convolutions, which always stay. */
  skippable: v.boolean(),
  /** Part of the bytes of all weights. */
  share,
  /** Bytes of keys and values that a token leaves in the cache; absent without a cache of known shape. */
  cacheBytesPerToken: v.optional(v.number()),
});
export type BlockDescription = v.InferOutput<typeof blockDescription>;

/** What a decoder's graph is made of. */
export const decoderDescription = v.object({
  /** The program that wrote the file, as it calls itself. */
  producer: v.string(),
  /** Version of the standard operators. */
  opset: count,
  layers: count,
  hiddenSize: count,
  vocabularySize: count,
  /** Whether a layer's attention and MLP read the same value of the stream. */
  parallel: v.boolean(),
  blocks: v.array(blockDescription),
  embedding: weightTotals,
  /** The final norm and the output head. */
  head: weightTotals,
  /** Everything else: what several parts use (a tied embedding, tables of sines) and constants. */
  shared: weightTotals,
  total: weightTotals,
  /** Element types of the weights, the largest share of bytes first. */
  precision: v.array(v.object({ type: v.string(), bytes: count, share })),
  /** Whether there is a KV cache, of known shape or not. */
  hasCache: v.boolean(),
  /** Bytes that a token leaves in the KV cache; absent without a cache of known shape. */
  cacheBytesPerToken: v.optional(v.number()),
});
export type DecoderDescription = v.InferOutput<typeof decoderDescription>;

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
  /** model_type of config.json, such as 'llama'; absent without a config. */
  family: v.optional(v.string()),
  /** Bytes on disk of the ONNX file and its external weights. */
  fileBytes: count,
  /** Longest context that config.json names. */
  contextLength: v.optional(count),
  ...decoderDescription.entries,
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
