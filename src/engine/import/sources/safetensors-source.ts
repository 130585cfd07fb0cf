/** A model in Hugging Face's form: config.json, weights in safetensors files, a tokenizer. */
import { copyFileSync, existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../../schema/errors.js';
import { COMPANION_FILES, travels } from '../../export/companions.js';
import { collectFacts } from '../families/collect-facts.js';
import type { Family } from '../families/family.js';
import { familyOfConfig } from '../families/find-family.js';
import { configNames } from '../families/names.js';
import { configQuantity, type Quantities, type Quantity } from '../families/quantities.js';
import { longRopeMagnitude, type Scaling } from '../families/rotary.js';
import { readSafetensors, type SafetensorsFiles } from '../formats/safetensors.js';
import { rowsOf } from '../formats/source-tensor.js';
import { ModelWeights } from '../weights/model-weights.js';
import { convolutionConfig } from '../files/config.js';
import type { ModelSource } from './model-source.js';
import { quoted } from '../quoted.js';

type Json = Record<string, unknown>;

/** @throws UserError if the folder is damaged or of a kind that cannot be taken */
export function openSafetensors(folder: string): ModelSource {
  const config = readJson(path.join(folder, 'config.json'));
  if (config.quantization_config !== undefined || config.quantization !== undefined) {
    throw new UserError(
      `The weights in ${folder} are quantised in a way of another runtime (${methodOf(config)}), which is not read; take the model's original folder, or a GGUF file of it.`,
    );
  }
  const text = isObject(config.text_config) ? config.text_config : config;
  const family = familyOfConfig(text, folder);
  const files = readSafetensors(folder);
  try {
    return sourceOf(folder, text, family, files);
  } catch (error) {
    files.close();
    throw error;
  }
}

function sourceOf(folder: string, config: Json, family: Family, files: SafetensorsFiles): ModelSource {
  const names = configNames(family, files.tensors);
  const embedding = files.tensors.get(`${names.whole('embedding')}.weight`);
  if (!embedding)
    throw new UserError(`${folder} has no embedding of tokens; it is incomplete or no language model.`);
  const vocabulary = rowsOf(embedding);
  const up = files.tensors.get(`${names.layer('up', 0)}.weight`);
  const facts = collectFacts(family, quantitiesOf(config, family, folder, up && rowsOf(up)), vocabulary);
  const isTied = config.tie_word_embeddings ?? family.tied;
  const tensors = new Map(files.tensors);
  // A head that training has not used may be in the file all the same.
  if (isTied === true) tensors.delete(`${names.whole('head')}.weight`);
  const weights = new ModelWeights(facts, tensors, names, folder, {
    interleaved: false,
    gainsLessOne: family.gainsLessOne === true,
    transposed: family.transposedInConfig === true,
  });
  return {
    place: folder,
    name: path.basename(folder),
    facts,
    weights,
    files: files.files,
    bytes: files.bytes,
    config: {
      ...config,
      model_type: family.modelType,
      head_dim: facts.headSize,
      vocab_size: vocabulary,
      ...convolutionConfig(facts),
    },
    generationConfig: {
      ...pick(config, ['bos_token_id', 'eos_token_id', 'pad_token_id']),
      ...readJson(path.join(folder, 'generation_config.json')),
    },
    writeTokenizer(target) {
      for (const name of readdirSync(folder)) {
        if (name === 'generation_config.json' || !COMPANION_FILES.test(name)) continue;
        if (travels(folder, name)) copyFileSync(path.join(folder, name), path.join(target, name));
      }
    },
    close: files.close,
  };
}

/** @param inner width inside of the MLP by its weight: some configs have a number of which it is made in steps */
function quantitiesOf(config: Json, family: Family, place: string, inner: number | undefined): Quantities {
  // transformers 5 keeps all about positions in one object, in some families one a kind of layer.
  const rope = isObject(config.rope_parameters) ? config.rope_parameters : {};
  const wide = isObject(rope.full_attention) ? rope.full_attention : rope;
  const local = isObject(rope.sliding_attention) ? rope.sliding_attention : undefined;
  const scaling = isObject(config.rope_scaling) ? config.rope_scaling : wide;
  const localTheta = local && configQuantity(local, place, 'theta');
  const get = (quantity: Quantity): number | undefined => {
    if (quantity === 'window' && config.use_sliding_window === false) return 0;
    if (quantity === 'inner' && family.hasConvolutions) return inner;
    if (quantity === 'localTheta' && localTheta !== undefined) return localTheta;
    const inPositions = quantity === 'theta' || quantity === 'turnedShare' || quantity === 'originalContext';
    return (
      (inPositions ? configQuantity(wide, place, quantity) : undefined) ??
      configQuantity(config, place, quantity)
    );
  };
  return {
    place,
    get,
    scaling: scalingOf(scaling, get, place),
    localScaling: local && scalingOf(local, get, place),
    windowed: windowedLayers(config, family),
    convolutions: convolutionLayers(config),
    turns: listOf(config.no_rope_layers)?.map((turns) => turns !== 0 && turns !== false),
  };
}

function convolutionLayers({
  layer_types: types,
  full_attn_idxs: full,
  ...config
}: Json): boolean[] | undefined {
  if (Array.isArray(types)) return types.map((type) => type === 'conv');
  if (!Array.isArray(full)) return undefined;
  return Array.from({ length: Number(config.num_hidden_layers) || 0 }, (_, layer) => !full.includes(layer));
}

function windowedLayers(config: Json, family: Family): boolean[] | undefined {
  const types = listOf(config.layer_types)?.map((type) => type === 'sliding_attention');
  if (types) return types;
  // Qwen 2 and 3: from some layer on.
  const first = config.max_window_layers;
  if (!family.modelType.startsWith('qwen') || typeof first !== 'number') return undefined;
  return Array.from({ length: Number(config.num_hidden_layers) || 0 }, (_, layer) => layer >= first);
}

/** @throws UserError if positions are stretched in a way that is not understood */
function scalingOf(given: Json, get: (quantity: Quantity) => number | undefined, place: string): Scaling {
  const kind = given.rope_type ?? given.type ?? 'default';
  const number = (key: string) => (typeof given[key] === 'number' ? given[key] : undefined);
  const factor = number('factor') ?? 1;
  const original = number('original_max_position_embeddings') ?? get('originalContext');
  if (kind === 'default') return { kind: 'none' };
  if (kind === 'linear') return { kind: 'linear', factor };
  const [low, high] = [number('low_freq_factor'), number('high_freq_factor')];
  if (kind === 'llama3' && low !== undefined && high !== undefined && original !== undefined)
    return { kind: 'llama3', factor, low, high, original };
  if (kind === 'yarn' && original !== undefined) {
    return {
      kind: 'yarn',
      factor,
      original,
      fast: number('beta_fast') ?? 32,
      slow: number('beta_slow') ?? 1,
      magnitude: number('attention_factor'),
    };
  }
  const [short, long] = [given.short_factor, given.long_factor].map((list) => listOf(list)?.map(Number));
  if ((kind === 'longrope' || kind === 'su') && short && long && original !== undefined) {
    const whole = get('contextLength') ?? original;
    const magnitude = number('attention_factor') ?? longRopeMagnitude(whole / original, original);
    if (whole <= original) return { kind: 'divisors', divisors: short, magnitude };
    return { kind: 'longrope', short, long, original, magnitude };
  }
  throw new UserError(
    `${place} stretches positions by ${quoted(kind)} in a way that is not understood; choose another model.`,
  );
}

function methodOf(config: Json): string {
  const given = isObject(config.quantization_config) ? config.quantization_config.quant_method : 'MLX';
  return typeof given === 'string' ? quoted(given) : 'unknown';
}

function listOf(value: unknown): unknown[] | undefined {
  return Array.isArray(value) ? (value as unknown[]) : undefined;
}

function pick(object: Json, keys: readonly string[]): Json {
  return Object.fromEntries(keys.flatMap((key) => (object[key] == null ? [] : [[key, object[key]]])));
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readJson(file: string): Json {
  if (!existsSync(file)) return {};
  try {
    const data: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isObject(data)) return data;
  } catch {
    // Reported below, as any other content that is not an object.
  }
  throw new UserError(`${file} is not valid JSON; download the model again.`);
}
