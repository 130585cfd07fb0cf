/** A model's tokenizer: text to token ids and back, its special tokens and its chat template. */
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { UserError } from '../../schema/errors.js';
import { createChatTemplate, type ChatTemplate } from './chat-template.js';
import { runWithin } from './time-limit.js';
import { requireBounded } from './tokenizer-bounds.js';
import { readTokenizerFiles, type TokenizerFiles } from './tokenizer-files.js';
import { plainWords } from '../../schema/plain-words.js';

export interface ModelTokenizer {
  /**
   * Token ids of a text. Special tokens written in the text become their ids.
   * @param options.addSpecialTokens whether to add those that the tokenizer puts around a text; default: true
   * @throws UnencodableTextError if the vocabulary cannot spell the text
   */
  encode(text: string, options?: { addSpecialTokens?: boolean }): number[];
  /**
   * The text that the ids spell, spaces as they are.
   * @param options.skipSpecialTokens whether to leave special tokens out; default: false
   */
  decode(ids: readonly number[], options?: { skipSpecialTokens?: boolean }): string;
  /** What the tokenizer puts before a text by itself, usually the beginning-of-text token or nothing. */
  readonly prefixIds: readonly number[];
  readonly bosToken?: string;
  readonly eosToken?: string;
  readonly bosTokenId?: number;
  /** The tokenizer's own end-of-text token, else the first of `eosTokenIds`. */
  readonly eosTokenId?: number;
  /** All ids that end a generated text, from the tokenizer and from the model's configuration. */
  readonly eosTokenIds: readonly number[];
  /** For filling batches; any id if the model has none, since padding is masked. */
  readonly padTokenId: number;
  /** Ids of special tokens by their text. */
  readonly specialTokens: ReadonlyMap<string, number>;
  /** Highest id + 1, added tokens included; the model's own vocabulary may be larger. */
  readonly vocabularySize: number;
  /** Tokens that the model can read at once, if tokenizer_config.json says so. */
  readonly modelMaxLength?: number;
  readonly chatTemplate?: ChatTemplate;
}

export interface LoadTokenizerOptions {
  /** What chat templates see as now. Default: the moment of loading. */
  now?: Date;
}

/**
 * Loads the tokenizer of a model folder from tokenizer.json and, where present, tokenizer_config.json,
 * special_tokens_map.json, generation_config.json, genai_config.json, config.json and the chat template's file.
 * @throws UserError if tokenizer.json is missing or not understood
 */
export async function loadTokenizer(
  folder: string,
  options: LoadTokenizerOptions = {},
): Promise<ModelTokenizer> {
  const files = await readTokenizerFiles(folder);
  const tokenizer = createTokenizer(files, join(folder, 'tokenizer.json'));
  const {
    bos_token: bosToken,
    eos_token: eosToken,
    pad_token: padToken,
    unk_token: unkToken,
  } = files.specialTokens;
  const idOf = (token: string | undefined): number | undefined =>
    token === undefined ? undefined : tokenizer.token_to_id(token);
  const fromConfigs = (name: 'bos_token_id' | 'pad_token_id'): number | undefined =>
    files.tokenIds.map((ids) => ids[name]).find((id) => typeof id === 'number');

  const eosIds = [idOf(eosToken), ...files.tokenIds.flatMap((ids) => ids.eos_token_id)];
  const eosTokenIds = [...new Set(eosIds.filter((id) => id !== undefined))];
  const bosTokenId = idOf(bosToken) ?? fromConfigs('bos_token_id');
  const eosTokenId = eosTokenIds[0];
  const endText = eosToken ?? (eosTokenId === undefined ? undefined : tokenizer.id_to_token(eosTokenId));
  const chatTemplate =
    files.chatTemplate &&
    createChatTemplate(files.chatTemplate.source, {
      path: files.chatTemplate.path,
      bosToken,
      eosToken,
      padToken,
      unkToken,
      now: options.now,
    });
  const encode = (text: string, addSpecialTokens: boolean): number[] =>
    encodeWith(tokenizer, text, addSpecialTokens, folder);
  return {
    encode: (text, { addSpecialTokens = true } = {}) => encode(text, addSpecialTokens),
    decode: (ids, { skipSpecialTokens = false } = {}) =>
      decodeWith(tokenizer, ids, skipSpecialTokens, folder),
    prefixIds: prefixOf(encode),
    bosToken,
    eosToken: endText,
    bosTokenId,
    eosTokenId,
    eosTokenIds,
    padTokenId: idOf(padToken) ?? fromConfigs('pad_token_id') ?? eosTokenId ?? 0,
    specialTokens: specialTokensOf(tokenizer),
    vocabularySize: highestId(tokenizer) + 1,
    modelMaxLength: files.modelMaxLength,
    chatTemplate,
  };
}

/** Milliseconds in which a tokenizer is built: a vocabulary of a million tokens takes a few seconds. */
const BUILDING_TIME = 60_000;

function createTokenizer(files: TokenizerFiles, path: string): Tokenizer {
  requireBounded(files.tokenizer, path);
  try {
    return runWithin(BUILDING_TIME, () => new Tokenizer(files.tokenizer, files.config));
  } catch (error) {
    throw new UserError(`${path} is not understood: ${plainWords(error)}.`, { cause: error });
  }
}

/** Thrown where a vocabulary cannot spell a text and has no token for what it does not know. */
export class UnencodableTextError extends UserError {}

function encodeWith(tokenizer: Tokenizer, text: string, addSpecialTokens: boolean, folder: string): number[] {
  const ids: number[] = limited(folder, text.length, () =>
    tokenizer.encode(text, { add_special_tokens: addSpecialTokens }),
  ).ids;
  // A vocabulary without an unknown token gives undefined for what it cannot spell.
  const lost = ids.findIndex((id) => !Number.isInteger(id));
  if (lost >= 0)
    throw new UnencodableTextError(
      `The tokenizer in ${folder} has no token for a part of '${text.slice(0, 60)}'.`,
    );
  return ids;
}

function decodeWith(
  tokenizer: Tokenizer,
  ids: readonly number[],
  skipSpecialTokens: boolean,
  folder: string,
): string {
  if (ids.length === 0) return '';
  return limited(folder, ids.length, () =>
    tokenizer.decode([...ids], {
      skip_special_tokens: skipSpecialTokens,
      // Removing spaces before punctuation would make an answer differ from the tokens that were generated.
      clean_up_tokenization_spaces: false,
    }),
  );
}

/** Milliseconds that a tokenizer may take for a text: far more than any honest one does, on any machine. */
const TIME = 3_000;
const TIME_A_PIECE = 1;

/** Regular expressions of a tokenizer from strangers may take longer than anybody lives. */
function limited<Result>(folder: string, pieces: number, run: () => Result): Result {
  try {
    return runWithin(TIME + TIME_A_PIECE * pieces, run);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `The tokenizer in ${folder} cannot be used: ${plainWords(error)}; download the model again from a place that you trust.`,
      { cause: error },
    );
  }
}

/** What special tokens come before a text: the part before the text's own ids. */
function prefixOf(encode: (text: string, addSpecialTokens: boolean) => number[]): number[] {
  const own = encode('a', false);
  const all = encode('a', true);
  for (let start = 0; start + own.length <= all.length; start += 1) {
    if (own.every((id, index) => all[start + index] === id)) return all.slice(0, start);
  }
  return [];
}

function specialTokensOf(tokenizer: Tokenizer): Map<string, number> {
  const special = [...tokenizer.get_added_tokens_decoder().values()].filter((token) => token.special);
  return new Map(special.map((token) => [token.content, token.id]));
}

function highestId(tokenizer: Tokenizer): number {
  let highest = -1;
  for (const id of tokenizer.get_vocab().values()) highest = Math.max(highest, id);
  return highest;
}
