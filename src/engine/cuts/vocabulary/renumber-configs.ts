/** Token ids and sizes of the vocabulary in configs, by the ids of a cut vocabulary. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { travels } from '../../export/companions.js';
import { readConfigFile } from '../../onnx/file/config-file.js';
import { isObject, type Json } from './tokenizer-model.js';

/** Keys of one id or of a list of ids, as eos_token_id and pad_id. */
const IDS = /(^|_)(token_ids?|token_index|pad_id)$/;

/** Keys of lists of ids that are not to be written, or to be written at certain places. */
const SUPPRESSED = new Set(['suppress_tokens', 'begin_suppress_tokens']);
const WORDS = new Set(['bad_words_ids', 'force_words_ids']);
const FORCED = 'forced_decoder_ids';
const BIASES = 'sequence_bias';

const SIZES = /(^|_)vocab(ulary)?_size$/;

/** Parts of configs that are about the language model: transformers' of models with other parts, onnxruntime-genai's. */
const LANGUAGE_PARTS = new Set(['text_config', 'model']);

const CONFIG_FILES = ['config.json', 'generation_config.json', 'genai_config.json', 'tokenizer_config.json'];

export interface VocabularyChange {
  /** undefined for a token that is dropped. */
  newId(id: number): number | undefined;
  /** Rows before: of the embedding, and of the head where it has others. */
  sizes: ReadonlySet<number>;
  /** Rows after. */
  size: number;
}

/** The configs of a model's folder that may name ids. */
export function configsIn(folder: string): Json[] {
  return CONFIG_FILES.filter((name) => existsSync(path.join(folder, name)) && travels(folder, name)).map(
    (name) => readConfigFile(path.join(folder, name)),
  );
}

/** Ids that a config gives a meaning to, within all that it holds. */
export function idsNamedIn(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(idsNamedIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, held]) => (IDS.test(key) ? numbersIn(held) : idsNamedIn(held)));
}

function numbersIn(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(numbersIn);
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? [value] : [];
}

/**
 * A config with the new ids and sizes, in all that it holds. Ids of dropped tokens are left out of lists.
 * @param isOwn whether its vocab_size is the model's, whatever it says: one that does not fit the rows is common
 */
export function renumberConfig(config: Json, change: VocabularyChange, isOwn = true): Json {
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) => {
      const renumbered = renumberEntry(key, value, change, isOwn);
      return renumbered === undefined ? [] : [[key, renumbered]];
    }),
  );
}

function renumberEntry(key: string, value: unknown, change: VocabularyChange, isOwn: boolean): unknown {
  const { newId, sizes, size } = change;
  if (IDS.test(key) || SUPPRESSED.has(key)) return renumberIds(value, newId);
  if (WORDS.has(key)) return wholeOnes(value, (words) => renumberWhole(words, newId));
  if (key === FORCED) return wholeOnes(value, (pair) => renumberForced(pair, newId));
  if (key === BIASES) return wholeOnes(value, (pair) => renumberBias(pair, newId));
  if (key === 'added_tokens_decoder' && isObject(value)) return renumberKeys(value, newId);
  if (SIZES.test(key) && typeof value === 'number') {
    return (isOwn && key === 'vocab_size') || sizes.has(value) ? size : value;
  }
  if (isObject(value)) return renumberConfig(value, change, isOwn && LANGUAGE_PARTS.has(key));
  return Array.isArray(value)
    ? value.map((entry: unknown) => (isObject(entry) ? renumberConfig(entry, change, false) : entry))
    : value;
}

type NewId = VocabularyChange['newId'];

/** Negative numbers stand for none. */
function renumberIds(value: unknown, newId: NewId): unknown {
  if (typeof value === 'number') return value < 0 ? value : newId(value);
  return Array.isArray(value)
    ? value.map((entry: unknown) => renumberIds(entry, newId)).filter((entry) => entry !== undefined)
    : value;
}

/** The entries of a list that hold no dropped token. */
function wholeOnes(value: unknown, renumber: (entry: unknown) => unknown): unknown {
  return Array.isArray(value) ? value.map(renumber).filter((entry) => entry !== undefined) : value;
}

/** Ids, or lists of them. */
function renumberWhole(value: unknown, newId: NewId): unknown {
  if (typeof value === 'number') return newId(value);
  if (!Array.isArray(value)) return value;
  const entries = value.map((entry: unknown) => renumberWhole(entry, newId));
  return entries.includes(undefined) ? undefined : entries;
}

/** [place, id] */
function renumberForced(pair: unknown, newId: NewId): unknown {
  if (!Array.isArray(pair) || typeof pair[1] !== 'number') return pair;
  const id = newId(pair[1]);
  return id === undefined ? undefined : [pair[0], id];
}

/** [[ids], bias] */
function renumberBias(pair: unknown, newId: NewId): unknown {
  if (!Array.isArray(pair)) return pair;
  const ids = renumberWhole(pair[0], newId);
  return ids === undefined ? undefined : [ids, ...(pair.slice(1) as unknown[])];
}

/** An object whose keys are ids. */
function renumberKeys(value: Json, newId: NewId): Json {
  return Object.fromEntries(
    Object.entries(value).flatMap(([id, held]) => {
      const renumbered = newId(Number(id));
      return renumbered === undefined ? [] : [[String(renumbered), held]];
    }),
  );
}
