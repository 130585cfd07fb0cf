/** A tokenizer may replace text by longer text, again and again: what would fill the memory is refused before it does. */
import { UserError } from '../../schema/errors.js';

/** Characters that one character of a text may become. Honest tokenizers stay below ten. */
const LARGEST_GROWTH = 1000;

/** @throws UserError if texts could grow without measure */
export function requireBounded(tokenizer: object, path: string): void {
  const { normalizer, pre_tokenizer: splitter, decoder } = tokenizer as Record<string, unknown>;
  const growth = Math.max(growthOf(normalizer) * growthOf(splitter), growthOf(decoder));
  if (growth <= LARGEST_GROWTH) return;
  throw new UserError(
    `The tokenizer in ${path} makes texts up to ${growth > 1e9 ? 'a billion' : Math.round(growth)} times longer, which no honest one does; download the model again from a place that you trust.`,
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
