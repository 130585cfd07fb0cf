/** A tokenizer may replace text by longer text, again and again: what would fill the memory is refused before it does. */
import { UserError } from '../../schema/errors.js';

/** Characters that one character of a text may become. Honest tokenizers stay below ten. */
const LARGEST_GROWTH = 1000;

/** Ids of tokens end below; the largest vocabularies have half a million. */
const MOST_TOKENS = 10_000_000;

/** @throws UserError if texts could grow without measure, or a token has an id that is none or no text */
export function requireBounded(tokenizer: object, path: string): void {
  const { normalizer, pre_tokenizer: splitter, decoder } = tokenizer as Record<string, unknown>;
  requireIds(tokenizer as Record<string, unknown>, path);
  requireTexts(tokenizer as Record<string, unknown>, path);
  const growth = Math.max(growthOf(normalizer) * growthOf(splitter), growthOf(decoder));
  if (growth <= LARGEST_GROWTH) return;
  throw new UserError(
    `The tokenizer in ${path} makes texts up to ${growth > 1e9 ? 'a billion' : Math.round(growth)} times longer, which no honest one does; download the model again from a place that you trust.`,
  );
}

function requireIds({ model, added_tokens: added }: Record<string, unknown>, path: string): void {
  const vocab = (model as { vocab?: unknown } | undefined)?.vocab;
  const own =
    typeof vocab === 'object' && vocab !== null && !Array.isArray(vocab) ? Object.values(vocab) : [];
  const others = Array.isArray(added) ? added.map((token: { id?: unknown } | null) => token?.id) : [];
  const wrong = [...own, ...others].find(
    (id) => !Number.isInteger(id) || Number(id) < 0 || Number(id) > MOST_TOKENS,
  );
  if (wrong === undefined) return;
  throw new UserError(
    `The tokenizer in ${path} gives a token the id '${String(JSON.stringify(wrong)).slice(0, 60)}', which is none; download the model again.`,
  );
}

function requireTexts({ added_tokens: added }: Record<string, unknown>, path: string): void {
  if (!Array.isArray(added)) return;
  const wrong = added.findIndex((token: { content?: unknown } | null) => typeof token?.content !== 'string');
  if (wrong < 0) return;
  throw new UserError(
    `The tokenizer in ${path} has an added token without a text (number ${wrong + 1}); download the model again.`,
  );
}

/** By how much a step, or the steps within it, may lengthen a text. */
function growthOf(step: unknown): number {
  if (typeof step !== 'object' || step === null) return 1;
  const { type, content, pattern, ...rest } = step as Record<string, unknown>;
  let growth = 1;
  for (const inner of Object.values(rest).flat()) growth *= growthOf(inner);
  if (type !== 'Replace' || typeof content !== 'string') return growth;
  const replaced = (pattern as { String?: unknown } | undefined)?.String;
  // A pattern may match nothing, before each character.
  const longer =
    typeof replaced === 'string' && replaced !== ''
      ? Math.max(1, content.length / replaced.length)
      : 1 + content.length;
  return growth * longer;
}
