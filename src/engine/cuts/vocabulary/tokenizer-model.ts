/** The model in tokenizer.json (byte pairs, or pieces with scores) as a list of tokens: what each is a part of texts of. */
import { UserError } from '../../../schema/errors.js';
import type { Normalisation } from './kept-characters.js';

export type Json = Record<string, unknown>;

export interface TokenizerModel {
  kind: 'BPE' | 'Unigram';
  /** By id; undefined where the model has no token of that id. */
  tokens: readonly (string | undefined)[];
  /**
   * What the token spells: its bytes, where tokens are made of bytes, and its text otherwise.
   * @returns undefined if it is a byte by itself
   */
  spelt(token: string): readonly number[] | string | undefined;
  /** Whether a token must stay for any text to be spelt at all: bytes, and where there are none, single characters. */
  isLetter(token: string): boolean;
  /** Pairs of tokens that are joined, the first ones first; none for Unigram. */
  merges: readonly (readonly [string, string])[];
  /** The token that a pair makes. */
  joined(merge: readonly [string, string]): string;
  /** Scores of Unigram's pieces, by id. */
  scores: readonly number[];
  /** Ids that the model names by itself: the unknown token's. */
  ownIds: readonly number[];
  normalisation: Normalisation;
  /** Text that normalisers put in the place of other text. */
  insertedText: string;
}

/**
 * @param tokenizer parsed tokenizer.json
 * @param file named in errors
 * @throws UserError if the tokenizer is of another kind
 */
export function tokenizerModel(tokenizer: Json, file: string): TokenizerModel {
  const model = modelIn(tokenizer);
  const kind = kindOf(model);
  if (kind === undefined) throw new UserError(kindProblem(tokenizer, file)!);
  const steps = [...stepsOf(tokenizer.normalizer), ...stepsOf(tokenizer.pre_tokenizer)];
  const common = { kind, normalisation: normalisationOf(steps), insertedText: insertedBy(steps) };
  const hasBytes = steps.some(({ type }) => type === 'ByteLevel');
  return kind === 'BPE' ? { ...common, ...bytePairs(model, hasBytes) } : { ...common, ...pieces(model) };
}

/** Why the tokenizer's tokens cannot be cut, in one sentence; undefined if they can. */
export function kindProblem(tokenizer: Json, file: string): string | undefined {
  const model = modelIn(tokenizer);
  if (kindOf(model) !== undefined) return undefined;
  const kind = typeof model.type === 'string' ? model.type.slice(0, 40) : 'unknown';
  return `The vocabulary cannot be cut: the tokenizer in ${file} is of the kind ${kind}, and only BPE and Unigram are understood.`;
}

function modelIn({ model }: Json): Json {
  return isObject(model) ? model : {};
}

function kindOf({ type, vocab }: Json): TokenizerModel['kind'] | undefined {
  if (Array.isArray(vocab) && (type === 'Unigram' || type === undefined)) return 'Unigram';
  return isObject(vocab) && type === 'BPE' ? 'BPE' : undefined;
}

function bytePairs(
  model: Json,
  hasBytes: boolean,
): Omit<TokenizerModel, 'kind' | 'normalisation' | 'insertedText'> {
  const tokens: (string | undefined)[] = [];
  for (const [token, id] of Object.entries(model.vocab as Record<string, number>)) tokens[id] = token;
  const prefix = textOf(model.continuing_subword_prefix);
  const suffix = textOf(model.end_of_word_suffix);
  const bare = (token: string) => {
    const begun = prefix !== '' && token.startsWith(prefix) ? token.slice(prefix.length) : token;
    return suffix !== '' && begun.endsWith(suffix) ? begun.slice(0, -suffix.length) : begun;
  };
  const unknown = tokens.indexOf(textOf(model.unk_token));
  const fallback = model.byte_fallback === true && hasAllBytes(tokens);
  const merges = Array.isArray(model.merges) ? model.merges.map(pairOf) : [];
  return {
    tokens,
    merges,
    joined: ([left, right]) => left + (right.startsWith(prefix) ? right.slice(prefix.length) : right),
    scores: [],
    ownIds: unknown < 0 ? [] : [unknown],
    spelt: (token) => {
      const text = bare(token);
      return hasBytes ? (bytesOf(text) ?? text) : isByte(token) ? undefined : text;
    },
    isLetter: (token) => {
      if (isByte(token)) return true;
      const text = bare(token);
      return hasBytes ? bytesOf(text)?.length === 1 : !fallback && Array.from(text).length === 1;
    },
  };
}

function pieces(model: Json): Omit<TokenizerModel, 'kind' | 'normalisation' | 'insertedText'> {
  const vocab = model.vocab as [string, number][];
  const tokens = vocab.map(([token]) => token);
  const scores = vocab.map(([, score]) => score);
  // What an unknown character costs is reckoned from the lowest score.
  const lowest = scores.reduce((best, score, id) => (score < scores[best]! ? id : best), 0);
  return {
    tokens,
    merges: [],
    joined: ([left, right]) => left + right,
    scores,
    ownIds: [...(typeof model.unk_id === 'number' ? [model.unk_id] : []), lowest],
    spelt: (token) => (isByte(token) ? undefined : token),
    // Also where the file asks for bytes instead: transformers.js takes the unknown token all the same.
    isLetter: (token) => isByte(token) || Array.from(token).length === 1,
  };
}

function pairOf(merge: unknown): readonly [string, string] {
  if (Array.isArray(merge)) return [String(merge[0]), String(merge[1])];
  const [left = '', right = ''] = String(merge).split(' ', 2);
  return [left, right];
}

/** '<0x0A>': a byte, where characters without a token are spelt in bytes. */
function isByte(token: string): boolean {
  return /^<0x[0-9A-F]{2}>$/.test(token);
}

function hasAllBytes(tokens: readonly (string | undefined)[]): boolean {
  return new Set(tokens.filter((token) => token !== undefined && isByte(token))).size === 256;
}

const BYTES = bytesByLetter();

/** The bytes of a token that is written in the letters that GPT-2 gave the bytes; undefined if it is not. */
function bytesOf(token: string): number[] | undefined {
  const bytes = Array.from(token, (letter) => BYTES.get(letter));
  return bytes.every((byte) => byte !== undefined) ? bytes : undefined;
}

/** Bytes that are visible in Latin-1 stand for themselves, the others for the letters from U+0100 on (GPT-2). */
function bytesByLetter(): ReadonlyMap<string, number> {
  const isVisible = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173 && byte < 256);
  let next = 256;
  const letters = Array.from({ length: 256 }, (_, byte) => [
    String.fromCodePoint(isVisible(byte) ? byte : next++),
    byte,
  ]);
  return new Map(letters as [string, number][]);
}

/** A normaliser or pre-tokenizer and all within it. */
function stepsOf(step: unknown): Json[] {
  if (Array.isArray(step)) return step.flatMap(stepsOf);
  if (!isObject(step)) return [];
  return [step, ...stepsOf(step.normalizers), ...stepsOf(step.pretokenizers)];
}

function normalisationOf(steps: readonly Json[]): Normalisation {
  const types = new Set(steps.map(({ type }) => type));
  const has = (...names: string[]) => names.some((name) => types.has(name));
  const form = has('NFKC', 'NFKD', 'Precompiled', 'Nmt')
    ? 'NFKC'
    : has('NFC', 'NFD', 'StripAccents', 'BertNormalizer')
      ? 'NFC'
      : undefined;
  return { ...(form && { form }), lowerCase: has('Lowercase', 'BertNormalizer') };
}

function insertedBy(steps: readonly Json[]): string {
  const texts = steps.flatMap(({ content, prepend, replacement }) => [content, prepend, replacement]);
  return texts.map(textOf).join('');
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
