/** Configs of the slimmed model: changed only where they must be. */
import path from 'node:path';
import { transformersJsFile } from './snippets.js';

/** Names under which model configs keep the number of layers. */
const LAYER_COUNT_KEYS = ['num_hidden_layers', 'n_layer', 'n_layers', 'num_layers'] as const;

/** Per-layer lists in model configs, one entry a layer; runtimes index them by the cache's layer. */
const LAYER_LIST_KEYS = [
  'layer_types',
  'layers_block_type',
  'mlp_layer_types',
  'attention_layers',
  'no_rope_layers',
  'sliding_window_layers',
] as const;

/** Lists of the numbers of certain layers. */
const LAYER_NUMBERS_KEYS = [
  'sliding_window_layers',
  'mlp_only_layers',
  'full_attn_idxs',
  'attn_layer_indices',
] as const;

/** Numbers of first layers that are not as the others. */
const FIRST_LAYERS_KEYS = ['max_window_layers', 'first_k_dense_replace'] as const;

export interface CacheChange {
  /** Layers of the original. */
  originalLayers: number;
  /** Original layers whose attention or convolution stays, in order: entry i is the layer behind cache i. */
  keptLayers: readonly number[];
}

/**
 * config.json with the number of hidden layers set to the number of layers with a KV cache
 * (docs/decisions/004-dense-kv-cache.md), whatever it was, and with what it says of single layers by their new numbers.
 */
export function slimConfig(config: Record<string, unknown>, change: CacheChange): Record<string, unknown> {
  const slimmed = { ...config };
  for (const key of LAYER_COUNT_KEYS) {
    if (typeof slimmed[key] === 'number') slimmed[key] = change.keptLayers.length;
  }
  for (const key of LAYER_NUMBERS_KEYS) {
    const list: unknown = slimmed[key];
    if (isListOfNumbers(list) && !isPerLayer(list, change)) slimmed[key] = renumbered(list, change);
  }
  for (const key of LAYER_LIST_KEYS) {
    const list: unknown = slimmed[key];
    if (Array.isArray(list) && isPerLayer(list, change)) slimmed[key] = entriesOfKept(list, change);
  }
  for (const key of FIRST_LAYERS_KEYS) {
    const first = slimmed[key];
    if (typeof first === 'number') slimmed[key] = change.keptLayers.filter((layer) => layer < first).length;
  }
  const attention = unrolled(slimmed.attention_types);
  if (attention && isPerLayer(attention, change)) {
    slimmed.attention_types = [[entriesOfKept(attention, change), 1]];
  }
  if (isObject(slimmed.text_config)) slimmed.text_config = slimConfig(slimmed.text_config, change);
  return slimmed;
}

function isPerLayer(list: readonly unknown[], { originalLayers }: CacheChange): boolean {
  return list.length >= originalLayers;
}

function entriesOfKept(list: readonly unknown[], { keptLayers }: CacheChange): unknown[] {
  return keptLayers.map((layer) => list[layer]);
}

function isListOfNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((entry) => Number.isInteger(entry));
}

function renumbered(layers: readonly number[], { keptLayers }: CacheChange): number[] {
  const chosen = new Set(layers);
  return keptLayers.flatMap((layer, index) => (chosen.has(layer) ? [index] : []));
}

/** GPT-Neo's [[['global', 'local'], 12]]: patterns and how often each is repeated. */
function unrolled(types: unknown): unknown[] | undefined {
  if (!Array.isArray(types)) return undefined;
  const parts = types.map((part: unknown) => {
    const [pattern, times] = Array.isArray(part) ? (part as unknown[]) : [];
    if (!Array.isArray(pattern) || typeof times !== 'number' || times > 10_000) return undefined;
    return Array.from({ length: times }, () => pattern as unknown[]).flat();
  });
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}

/** What transformers.js must be told of an exported model's files. */
export interface ModelFiles {
  /** The ONNX file, relative to the folder, with forward slashes. */
  modelFile: string;
  /** Number of files with weights beside it. */
  dataFiles: number;
  /** Whether its KV cache is in float16, where transformers.js 3 expects float32 unless it is told. */
  hasFloat16Cache: boolean;
}

/** config.json with its part for transformers.js: the number of data files, and the cache's type where it needs saying. */
export function transformersJsConfig(
  config: Record<string, unknown>,
  { modelFile, dataFiles, hasFloat16Cache }: ModelFiles,
): Record<string, unknown> {
  const key = 'transformers.js_config';
  const {
    use_external_data_format: _,
    device_config: devices,
    kv_cache_dtype: cacheTypes,
    ...own
  } = isObject(config[key]) ? config[key] : {};
  const { dtype } = transformersJsFile(modelFile);
  const changed = {
    ...own,
    // A dtype names one of the source's files; this is the only one that is left.
    ...(own.dtype !== undefined && { dtype }),
    ...(devices !== undefined && { device_config: withDtype(devices, dtype) }),
    ...(dataFiles > 0 && { use_external_data_format: { [path.posix.basename(modelFile)]: dataFiles } }),
    ...cacheTypesFor(cacheTypes, dtype, hasFloat16Cache),
  };
  return key in config || Object.keys(changed).length > 0 ? { ...config, [key]: changed } : config;
}

/** The cache's types by dtype, or one for all: as it was said, but for a type that the model has not. */
function cacheTypesFor(told: unknown, dtype: string, isHalf: boolean): { kv_cache_dtype?: unknown } {
  const own = isObject(told) ? told[dtype] : told;
  if ((own === 'float16') === isHalf) return told === undefined ? {} : { kv_cache_dtype: told };
  const others = isObject(told) ? Object.entries(told).filter(([name]) => name !== dtype) : [];
  if (isHalf) return { kv_cache_dtype: { ...Object.fromEntries(others), [dtype]: 'float16' } };
  return others.length === 0 ? {} : { kv_cache_dtype: Object.fromEntries(others) };
}

/** What is said for single devices, where it names a dtype, names the one that there is. */
function withDtype(devices: unknown, dtype: string): unknown {
  if (!isObject(devices)) return devices;
  return Object.fromEntries(
    Object.entries(devices).map(([device, told]) => [
      device,
      isObject(told) && told.dtype !== undefined ? { ...told, dtype } : told,
    ]),
  );
}

/**
 * genai_config.json of onnxruntime-genai: number and types of layers, sliding-window layers by their new index, file name. Where none
 * of these is left, no window is: a list without layers would stand for all of them.
 */
export function slimGenaiConfig(
  config: Record<string, unknown>,
  change: CacheChange,
  modelFile: string,
): Record<string, unknown> {
  const model = isObject(config.model) ? { ...config.model } : {};
  if (!isObject(model.decoder)) return config;
  const decoder: Record<string, unknown> = { ...model.decoder, filename: path.posix.basename(modelFile) };
  if ('num_hidden_layers' in decoder) decoder.num_hidden_layers = change.keptLayers.length;
  const { layer_types: types } = decoder;
  if (Array.isArray(types) && isPerLayer(types, change)) decoder.layer_types = entriesOfKept(types, change);
  const window = decoder.sliding_window;
  if (isObject(window) && Array.isArray(window.layers)) {
    const windowed = new Set(window.layers as unknown[]);
    const layers = change.keptLayers.flatMap((layer, index) => (windowed.has(layer) ? [index] : []));
    if (layers.length > 0) decoder.sliding_window = { ...window, layers };
    else delete decoder.sliding_window;
  }
  return { ...config, model: { ...model, decoder } };
}

/** Model types that transformers.js spells otherwise than onnxruntime-genai, whose builder writes small letters alone. */
const MODEL_TYPES: Readonly<Record<string, string>> = {
  gptoss: 'gpt_oss',
  hunyuandensev1: 'hunyuan_v1_dense',
};

/**
 * config.json made of genai_config.json, for folders of onnxruntime-genai's builder, which writes none: transformers.js
 * takes from it the class of the model, the number and shape of the empty KV caches, and the tokens that end a text.
 * @param genai of the exported model
 * @returns undefined where genai_config.json does not describe a decoder
 */
export function configFromGenai(genai: Record<string, unknown>): Record<string, unknown> | undefined {
  const { model } = genai;
  if (!isObject(model) || !isObject(model.decoder) || typeof model.type !== 'string') return undefined;
  const { decoder } = model;
  const config = {
    model_type: MODEL_TYPES[model.type] ?? model.type,
    hidden_size: decoder.hidden_size,
    num_hidden_layers: decoder.num_hidden_layers,
    num_attention_heads: decoder.num_attention_heads,
    num_key_value_heads: decoder.num_key_value_heads,
    head_dim: decoder.head_size,
    vocab_size: model.vocab_size,
    max_position_embeddings: model.context_length,
    bos_token_id: model.bos_token_id,
    eos_token_id: model.eos_token_id,
    pad_token_id: model.pad_token_id,
  };
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
