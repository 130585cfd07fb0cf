/** The tokenizer in a GGUF file's metadata, as tokenizer.json and tokenizer_config.json. */
import { UserError } from '../../../schema/errors.js';
import type { SpecialIds } from '../sources/model-source.js';
import { mergesOfScores } from './merges.js';
import { preTokenizer, preTokenizerNames, type PreTokenizer } from './pre-tokenizers.js';
import { quoted } from '../quoted.js';

/** ggml's kinds of tokens. */
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;
const UNUSED = 5;

/** SentencePiece writes spaces as this. */
const SPACE = '▁';

type Metadata = ReadonlyMap<string, unknown>;
type Json = Record<string, unknown>;

export interface GgufTokenizer {
  ids: SpecialIds;
  /** Content of tokenizer.json, made when it is asked for. */
  tokenizer(): Json;
  /** Content of tokenizer_config.json. */
  config: Json;
}

interface Vocabulary {
  tokens: string[];
  types: number[];
}

/** @throws UserError if it is missing, damaged, or of a kind that is not understood */
export function ggufTokenizer(
  metadata: Metadata,
  file: string,
  { vocabulary, contextLength }: { vocabulary: number; contextLength: number },
): GgufTokenizer {
  const model = metadata.get('tokenizer.ggml.model');
  const tokens = listOf(metadata, 'tokens', 'string', file) as string[];
  if (tokens.length > vocabulary)
    throw damaged(file, `it has ${tokens.length} tokens for ${vocabulary} rows of the embedding`);
  const types =
    (optionalList(metadata, 'token_type', 'number', file, tokens.length) as number[] | undefined) ??
    tokens.map(() => 1);
  const ids = specialIds(metadata, tokens.length);
  const known = { tokens, types };
  const build = builderOf(model, metadata, known, file);
  const textOf = (id: number | undefined) => (id === undefined ? undefined : tokens[id]);
  const addsBos = flag(metadata, 'add_bos_token') ?? build.addsBos;
  const addsEos = flag(metadata, 'add_eos_token') ?? false;
  return {
    ids,
    tokenizer: () => ({
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: addedTokens(known),
      ...build.parts(),
      post_processor: template(addsBos ? ids.bos : undefined, addsEos ? ids.eos[0] : undefined, tokens),
    }),
    config: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      // onnxruntime-genai does not read the post-processor.
      add_bos_token: addsBos && ids.bos !== undefined,
      bos_token: textOf(ids.bos),
      eos_token: textOf(ids.eos[0]),
      pad_token: textOf(ids.pad),
      unk_token: textOf(idOf(metadata, 'unknown_token_id', tokens.length)),
      model_max_length: contextLength,
      clean_up_tokenization_spaces: false,
      chat_template: chatTemplate(metadata),
    },
  };
}

interface Builder {
  addsBos: boolean;
  /** Normaliser, pre-tokenizer, decoder and model. */
  parts(): Json;
}

function builderOf(model: unknown, metadata: Metadata, vocabulary: Vocabulary, file: string): Builder {
  if (model === 'gpt2') return bytePairs(metadata, vocabulary, file);
  if (model === 'llama') return sentencePiece(metadata, vocabulary, file);
  throw new UserError(
    `The tokenizer of ${file} is of the kind ${quoted(model)}, which is not understood; those called 'gpt2' and 'llama' are. Choose another model.`,
  );
}

function bytePairs(metadata: Metadata, vocabulary: Vocabulary, file: string): Builder {
  const merges = listOf(metadata, 'merges', 'string', file) as string[];
  const name = metadata.get('tokenizer.ggml.pre');
  const cut = typeof name === 'string' ? preTokenizer(name) : undefined;
  if (!cut) {
    throw new UserError(
      `${file} does not say in a way that is understood how text is cut into words (tokenizer.ggml.pre is ${name === undefined ? 'missing' : quoted(name)}; understood are ${preTokenizerNames().join(', ')}). Choose a newer file of the model, or its safetensors folder.`,
    );
  }
  return {
    addsBos: cut.addsBos ?? false,
    parts: () => ({
      normalizer: cut.composes ? { type: 'NFC' } : null,
      pre_tokenizer: cutting(cut),
      decoder: byteLevel(),
      model: bpe(vocabulary, merges.map(pairOf), { ignore_merges: cut.wholePieces ?? false }),
    }),
  };
}

function cutting({ patterns }: PreTokenizer): Json {
  const splits = patterns.map((pattern) => ({
    type: 'Split',
    pattern: { Regex: pattern },
    behavior: 'Isolated',
    invert: false,
  }));
  return { type: 'Sequence', pretokenizers: [...splits, byteLevel()] };
}

function byteLevel(): Json {
  return { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
}

/** 'left right': neither holds a space. */
function pairOf(merge: string): [string, string] {
  const place = merge.indexOf(' ', 1);
  return [merge.slice(0, place), merge.slice(place + 1)];
}

function sentencePiece(metadata: Metadata, { tokens, types }: Vocabulary, file: string): Builder {
  const scores = optionalList(metadata, 'scores', 'number', file, tokens.length) as number[] | undefined;
  if (!scores) throw damaged(file, 'its tokens have no scores');
  const addsSpace = flag(metadata, 'add_space_prefix') ?? true;
  const unknown = idOf(metadata, 'unknown_token_id', tokens.length) ?? types.indexOf(UNKNOWN);
  const isPart = (id: number) => ![UNKNOWN, CONTROL, UNUSED].includes(types[id]!);
  return {
    addsBos: true,
    parts: () => ({
      normalizer: {
        type: 'Sequence',
        normalizers: [
          ...(addsSpace ? [{ type: 'Prepend', prepend: SPACE }] : []),
          { type: 'Replace', pattern: { String: ' ' }, content: SPACE },
        ],
      },
      pre_tokenizer: null,
      decoder: {
        type: 'Sequence',
        decoders: [
          { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
          { type: 'ByteFallback' },
          { type: 'Fuse' },
          ...(addsSpace ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
        ],
      },
      model: bpe({ tokens, types }, mergesOfScores(tokens, scores, isPart), {
        unk_token: unknown < 0 ? null : tokens[unknown],
        fuse_unk: true,
        byte_fallback: true,
      }),
    }),
  };
}

function bpe({ tokens }: Vocabulary, merges: readonly [string, string][], more: Json): Json {
  return {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    ...more,
    vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    merges,
  };
}

function addedTokens({ tokens, types }: Vocabulary): Json[] {
  return tokens.flatMap((content, id) => {
    const type = types[id]!;
    if (![UNKNOWN, CONTROL, USER_DEFINED].includes(type) || content === '') return [];
    const special = type !== USER_DEFINED;
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
}

/** What is put around a text. */
function template(bos: number | undefined, eos: number | undefined, tokens: readonly string[]): Json | null {
  if (bos === undefined && eos === undefined) return null;
  const special = (id: number | undefined) =>
    id === undefined ? [] : [{ SpecialToken: { id: tokens[id], type_id: 0 } }];
  const around = (name: string) => [...special(bos), { Sequence: { id: name, type_id: 0 } }, ...special(eos)];
  const used = [bos, eos].filter((id) => id !== undefined);
  return {
    type: 'TemplateProcessing',
    single: around('A'),
    pair: [...around('A'), ...around('B')],
    special_tokens: Object.fromEntries(
      used.map((id) => [tokens[id], { id: tokens[id], ids: [id], tokens: [tokens[id]] }]),
    ),
  };
}

function specialIds(metadata: Metadata, count: number): SpecialIds {
  const id = (name: string) => idOf(metadata, name, count);
  const eos = [id('eos_token_id'), id('eot_token_id'), id('eom_token_id')].filter(
    (each) => each !== undefined,
  );
  return { bos: id('bos_token_id'), eos: [...new Set(eos)], pad: id('padding_token_id') };
}

function idOf(metadata: Metadata, name: string, count: number): number | undefined {
  const value = metadata.get(`tokenizer.ggml.${name}`);
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < count
    ? value
    : undefined;
}

function flag(metadata: Metadata, name: string): boolean | undefined {
  const value = metadata.get(`tokenizer.ggml.${name}`);
  return typeof value === 'boolean' ? value : undefined;
}

function chatTemplate(metadata: Metadata): string | undefined {
  const value = metadata.get('tokenizer.chat_template');
  return typeof value === 'string' ? value : undefined;
}

function listOf(metadata: Metadata, name: string, type: 'string' | 'number', file: string): unknown[] {
  const list = optionalList(metadata, name, type, file);
  if (list) return list;
  throw new UserError(
    `${file} comes without its tokenizer (tokenizer.ggml.${name} is missing); choose a file that has it.`,
  );
}

function optionalList(
  metadata: Metadata,
  name: string,
  type: 'string' | 'number',
  file: string,
  length?: number,
): unknown[] | undefined {
  const value = metadata.get(`tokenizer.ggml.${name}`);
  if (value === undefined) return undefined;
  const isList = Array.isArray(value) && value.every((item) => typeof item === type);
  if (!isList || (length !== undefined && value.length !== length))
    throw damaged(file, `its tokenizer's list of ${name} is not what it should be`);
  return value as unknown[];
}

function damaged(file: string, what: string): UserError {
  return new UserError(`${file} is damaged: ${what}; download it again.`);
}
