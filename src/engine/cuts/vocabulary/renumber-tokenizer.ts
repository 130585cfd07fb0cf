/** A tokenizer's files by the ids of a cut vocabulary: what is dropped is in none of them. */
import type { VocabularyChange } from './renumber-configs.js';
import { isObject, type Json, type TokenizerModel } from './tokenizer-model.js';

type NewId = VocabularyChange['newId'];

/**
 * tokenizer.json with the tokens that stay, in the order of before. A merge stays unless one of its three tokens is dropped.
 * @param model of the same tokenizer
 */
export function renumberTokenizer(tokenizer: Json, model: TokenizerModel, newId: NewId): Json {
  const own = tokenizer.model as Json;
  return {
    ...tokenizer,
    added_tokens: listOf(tokenizer.added_tokens).map((token) => withId(token, newId)),
    ...(tokenizer.post_processor !== undefined && {
      post_processor: renumberPostProcessor(tokenizer.post_processor, newId),
    }),
    ...(isObject(tokenizer.padding) && { padding: withId(tokenizer.padding, newId, 'pad_id') }),
    model: model.kind === 'BPE' ? renumberPairs(own, model, newId) : renumberPieces(own, newId),
  };
}

function renumberPairs(own: Json, model: TokenizerModel, newId: NewId): Json {
  const isKept = keptTokens(model, newId);
  const merges = listOf(own.merges).filter((_, index) => staysMerge(model, index, isKept));
  return { ...own, vocab: renumberVocabulary(own.vocab as Json, newId), merges };
}

/** Whether a token is not among those that are dropped. */
function keptTokens({ tokens }: TokenizerModel, newId: NewId): (token: string) => boolean {
  const dropped = new Set(tokens.filter((token, id) => token !== undefined && newId(id) === undefined));
  return (token) => !dropped.has(token);
}

function staysMerge(model: TokenizerModel, index: number, isKept: (token: string) => boolean): boolean {
  const merge = model.merges[index]!;
  return isKept(merge[0]) && isKept(merge[1]) && isKept(model.joined(merge));
}

function renumberPieces(own: Json, newId: NewId): Json {
  return {
    ...own,
    ...(typeof own.unk_id === 'number' && { unk_id: newId(own.unk_id) }),
    vocab: listOf(own.vocab).filter((_, id) => newId(id) !== undefined),
  };
}

/** An object of ids by their tokens: vocab.json, added_tokens.json, and the vocabulary in tokenizer.json. */
export function renumberVocabulary(vocabulary: Json, newId: NewId): Json {
  return Object.fromEntries(
    Object.entries(vocabulary).flatMap(([token, id]) => {
      const renumbered = typeof id === 'number' ? newId(id) : undefined;
      return renumbered === undefined ? [] : [[token, renumbered]];
    }),
  );
}

/** merges.txt: a line a merge, and lines that say the version. */
export function cutMergesFile(text: string, model: TokenizerModel, newId: NewId): string {
  const isKept = keptTokens(model, newId);
  const stays = (line: string) => {
    const [left, right, ...more] = line.split(' ');
    if (line.startsWith('#version') || left === undefined || right === undefined || more.length > 0)
      return true;
    return isKept(left) && isKept(right) && isKept(model.joined([left, right]));
  };
  return text.split('\n').filter(stays).join('\n');
}

/** Ids that a tokenizer puts around texts. */
export function idsAround(tokenizer: Json): number[] {
  const ids: number[] = [];
  const note = (id: number) => ids.push(id) && id;
  renumberPostProcessor(tokenizer.post_processor, note);
  withId(tokenizer.padding, note, 'pad_id');
  return ids;
}

/** What is put around a text: [token, id] pairs (BERT, RoBERTa), or ids by their tokens (templates). */
function renumberPostProcessor(step: unknown, newId: NewId): unknown {
  if (!isObject(step)) return step;
  const changed: Json = { ...step };
  for (const key of ['sep', 'cls']) {
    const pair = step[key];
    if (Array.isArray(pair) && typeof pair[1] === 'number') changed[key] = [pair[0], newId(pair[1])];
  }
  if (isObject(step.special_tokens)) {
    changed.special_tokens = Object.fromEntries(
      Object.entries(step.special_tokens).map(([name, token]) => [name, withIds(token, newId)]),
    );
  }
  if (Array.isArray(step.processors)) {
    changed.processors = step.processors.map((inner: unknown) => renumberPostProcessor(inner, newId));
  }
  return changed;
}

function withIds(token: unknown, newId: NewId): unknown {
  if (!isObject(token) || !Array.isArray(token.ids)) return token;
  return { ...token, ids: token.ids.map((id: unknown) => (typeof id === 'number' ? newId(id) : id)) };
}

function withId(value: unknown, newId: NewId, key = 'id'): unknown {
  if (!isObject(value) || typeof value[key] !== 'number') return value;
  return { ...value, [key]: newId(value[key]) };
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
