/** Configs of the slimmed model: changed only where they must be. */
import path from 'node:path';
import { transformersJsFile } from './snippets.js';

/** Names under which model configs keep the number of layers. */
const LAYER_COUNT_KEYS = ['num_hidden_layers', 'n_layer', 'n_layers', 'num_layers'] as const;

/** Per-layer lists in model configs, one entry a layer; runtimes index them by the cache's layer. */
const LAYER_LIST_KEYS = ['layer_types', 'attention_layers', 'no_rope_layers'] as const;

export interface CacheChange {
  /** Layers of the original. */
  originalLayers: number;
  /** Original layers whose attention stays, in order: entry i is the layer behind KV cache i. */
  keptLayers: readonly number[];
}

/** config.json with the number of hidden layers set to the number of layers with a KV cache (docs/decisions/004-dense-kv-cache.md). */
export function slimConfig(config: Record<string, unknown>, change: CacheChange): Record<string, unknown> {
  const slimmed = { ...config };
  for (const key of LAYER_COUNT_KEYS) {
    if (slimmed[key] === change.originalLayers) slimmed[key] = change.keptLayers.length;
  }
  for (const key of LAYER_LIST_KEYS) {
    const list = slimmed[key];
    if (Array.isArray(list) && list.length === change.originalLayers) {
      slimmed[key] = change.keptLayers.map((layer) => list[layer] as unknown);
    }
  }
  if (isObject(slimmed.text_config)) slimmed.text_config = slimConfig(slimmed.text_config, change);
  return slimmed;
}

/** The part of config.json for transformers.js, with the number of data files of the exported model. */
export function transformersJsConfig(
  config: Record<string, unknown>,
  modelFile: string,
  dataFiles: number,
): Record<string, unknown> {
  const key = 'transformers.js_config';
  const own = isObject(config[key]) ? config[key] : {};
  const { use_external_data_format: before, dtype, ...others } = own;
  // A dtype names one of the source's files; this is the only one that is left.
  const rest = dtype === undefined ? others : { ...others, dtype: transformersJsFile(modelFile).dtype };
  if (dataFiles === 0 && before === undefined && dtype === undefined) return config;
  const entry = { [path.posix.basename(modelFile)]: dataFiles };
  return { ...config, [key]: dataFiles === 0 ? rest : { ...rest, use_external_data_format: entry } };
}

/**
 * genai_config.json of onnxruntime-genai: number of layers, sliding-window layers by their new index, file name. Where none
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
  const window = decoder.sliding_window;
  if (isObject(window) && Array.isArray(window.layers)) {
    const windowed = new Set(window.layers as unknown[]);
    const layers = change.keptLayers.flatMap((layer, index) => (windowed.has(layer) ? [index] : []));
    if (layers.length > 0) decoder.sliding_window = { ...window, layers };
    else delete decoder.sliding_window;
  }
  return { ...config, model: { ...model, decoder } };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
