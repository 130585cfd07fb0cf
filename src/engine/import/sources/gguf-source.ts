/** A model in a GGUF file: facts from its metadata, the tokenizer from its lists. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../../schema/errors.js';
import { dequantise } from '../blocks/dequantise.js';
import { collectFacts } from '../families/collect-facts.js';
import { familyOfGguf } from '../families/find-family.js';
import { ggufNames } from '../families/names.js';
import { ggufQuantity, type Quantities, type Quantity } from '../families/quantities.js';
import { longRopeMagnitude, type Scaling } from '../families/rotary.js';
import { isGguf, readGguf, type GgufFile } from '../formats/gguf.js';
import { rowsOf, type SourceTensor } from '../formats/source-tensor.js';
import { ggufTokenizer } from '../tokenizer/gguf-tokenizer.js';
import { ModelWeights } from '../weights/model-weights.js';
import { configOf } from '../files/config.js';
import type { ModelSource, SpecialIds } from './model-source.js';
import { quoted } from '../quoted.js';

/** @throws UserError if the file is damaged or of a kind that cannot be taken */
export function openGguf(file: string): ModelSource {
  const gguf = readGguf(file);
  try {
    return sourceOf(file, gguf);
  } catch (error) {
    gguf.close();
    throw error;
  }
}

function sourceOf(file: string, { metadata, tensors, files, bytes, close }: GgufFile): ModelSource {
  const { family, architecture } = familyOfGguf(metadata, file);
  const names = ggufNames(family, tensors);
  const embedding = tensors.get(`${names.whole('embedding')}.weight`);
  if (!embedding)
    throw new UserError(`${file} has no embedding of tokens; it is incomplete or no language model.`);
  const get = (quantity: Quantity) => ggufQuantity(metadata, architecture, file, quantity);
  const given: Quantities = {
    place: file,
    get,
    scaling: scalingOf(metadata, architecture, tensors, get, file),
    convolutions: layersWithoutKeys(metadata.get(`${architecture}.attention.head_count_kv`)),
  };
  const facts = collectFacts(family, given, rowsOf(embedding));
  const weights = new ModelWeights(facts, tensors, names, file, {
    interleaved: family.interleavedInGguf === true,
    gainsLessOne: false,
    transposed: false,
  });
  const tokenizer = ggufTokenizer(metadata, file, facts);
  return {
    place: file,
    name: nameOf(file, metadata),
    facts,
    weights,
    files,
    bytes,
    config: {
      ...configOf(facts, !tensors.has(`${names.whole('head')}.weight`)),
      ...idsConfig(tokenizer.ids),
    },
    generationConfig: idsConfig(tokenizer.ids),
    writeTokenizer(folder) {
      writeFileSync(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizer.tokenizer()));
      writeFileSync(
        path.join(folder, 'tokenizer_config.json'),
        `${JSON.stringify(tokenizer.config, undefined, 2)}\n`,
      );
    },
    close,
  };
}

function layersWithoutKeys(heads: unknown): boolean[] | undefined {
  return Array.isArray(heads) ? heads.map((count) => count === 0) : undefined;
}

/** The file's, where that is a name and not a hash; else what the file says of itself. */
function nameOf(file: string, metadata: ReadonlyMap<string, unknown>): string {
  const name = path.basename(file).replace(/(-\d{5}-of-\d{5})?\.gguf$/i, '');
  const told = metadata.get('general.name');
  return isGguf(file) || typeof told !== 'string' || told.trim() === '' ? name : told.trim().slice(0, 100);
}

function idsConfig({ bos, eos, pad }: SpecialIds): Record<string, unknown> {
  return {
    ...(bos !== undefined && { bos_token_id: bos }),
    ...(eos.length > 0 && { eos_token_id: eos.length === 1 ? eos[0] : eos }),
    ...(pad !== undefined && { pad_token_id: pad }),
  };
}

/** @throws UserError if the file does not say from which length on the long factors hold */
function longRope(
  short: Float32Array,
  long: Float32Array,
  get: (quantity: Quantity) => number | undefined,
  told: number | undefined,
  file: string,
): Scaling {
  const [original, whole] = [get('originalContext'), get('contextLength')];
  if (original === undefined || whole === undefined)
    throw new UserError(
      `${file} has other factors of positions for long texts and does not say from which length on ('rope.scaling.original_context_length'); take a newer GGUF file of the model.`,
    );
  const magnitude = told ?? longRopeMagnitude(whole / original, original);
  if (whole <= original) return { kind: 'divisors', divisors: short, magnitude };
  return { kind: 'longrope', short, long, original, magnitude };
}

/** @throws UserError if positions are stretched in a way that is not understood */
function scalingOf(
  metadata: ReadonlyMap<string, unknown>,
  architecture: string,
  tensors: ReadonlyMap<string, SourceTensor>,
  get: (quantity: Quantity) => number | undefined,
  file: string,
): Scaling {
  const factors = (name: string) => {
    const tensor = tensors.get(`${name}.weight`);
    return tensor && dequantise(tensor.type, tensor.readRows(0, rowsOf(tensor)));
  };
  const number = (key: string) => {
    const value = metadata.get(`${architecture}.rope.scaling.${key}`);
    return typeof value === 'number' ? value : undefined;
  };
  const original = get('originalContext');
  const [short, long] = [factors('rope_factors_short'), factors('rope_factors_long')];
  if (short && long) return longRope(short, long, get, number('attn_factor'), file);
  const divisors = factors('rope_freqs') ?? short;
  if (divisors) return { kind: 'divisors', divisors, magnitude: number('attn_factor') ?? 1 };
  const kind = metadata.get(`${architecture}.rope.scaling.type`) ?? 'none';
  const factor = number('factor') ?? 1;
  if (kind === 'none' || factor === 1) return { kind: 'none' };
  if (kind === 'linear') return { kind: 'linear', factor };
  if (kind === 'yarn' && original !== undefined) {
    return {
      kind: 'yarn',
      factor,
      original,
      fast: number('yarn_beta_fast') ?? 32,
      slow: number('yarn_beta_slow') ?? 1,
    };
  }
  throw new UserError(
    `${file} stretches positions by ${quoted(kind)}, which is not understood; choose another model.`,
  );
}
