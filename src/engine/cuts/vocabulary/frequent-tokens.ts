/** The tokens that stay if there may be only so many (docs/decisions/078-a-limit-of-tokens.md). */
import type { TokenizerModel } from './tokenizer-model.js';

/**
 * Tokens of the task and all that they are merged of, then the most frequent ones: of byte pairs characters and what is
 * merged first, of pieces those with the best scores. Byte pairs come only if they are still made by merging.
 * @param always ids that stay anyway
 * @param candidates ids that may stay
 * @param ofTask ids that the task's texts hold
 */
export function frequentTokens(
  model: TokenizerModel,
  always: ReadonlySet<number>,
  candidates: readonly number[],
  ofTask: ReadonlySet<number>,
  room: number,
): number[] {
  const isCandidate = new Set(candidates);
  const taken = new Set<number>();
  const take = (id: number) => {
    if (taken.size < room && isCandidate.has(id) && !always.has(id)) taken.add(id);
  };
  if (model.kind === 'Unigram') {
    for (const id of ofTask) take(id);
    for (const id of candidates.toSorted((a, b) => model.scores[b]! - model.scores[a]! || a - b)) take(id);
    return [...taken];
  }
  const ids = new Map(model.tokens.map((token, id) => [token, id]));
  const ranks = new Map(model.merges.map((merge, rank) => [merge.join('\0'), rank]));
  for (const id of ofTask) {
    for (const part of partsOf(model, ranks, model.tokens[id]!)) take(ids.get(part) ?? -1);
    take(id);
  }
  const made = new Set(model.merges.map((merge) => model.joined(merge)));
  for (const id of candidates) if (!made.has(model.tokens[id]!)) take(id);
  const isThere = (token: string) => {
    const id = ids.get(token) ?? -1;
    return always.has(id) || taken.has(id);
  };
  for (const merge of model.merges) if (merge.every(isThere)) take(ids.get(model.joined(merge)) ?? -1);
  return [...taken];
}

/** What a token is merged of: its characters, and what is made of them step by step. */
function partsOf(model: TokenizerModel, ranks: ReadonlyMap<string, number>, token: string): string[] {
  const symbols = Array.from(token);
  const parts = [...symbols];
  for (;;) {
    let best = Infinity;
    let place = -1;
    for (let index = 0; index + 1 < symbols.length; index += 1) {
      const rank = ranks.get(`${symbols[index]!}\0${symbols[index + 1]!}`) ?? Infinity;
      if (rank < best) [best, place] = [rank, index];
    }
    if (place < 0) return parts;
    const joined = model.joined([symbols[place]!, symbols[place + 1]!]);
    symbols.splice(place, 2, joined);
    parts.push(joined);
  }
}
