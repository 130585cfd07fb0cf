/** Losses that are not numbers, before anything is learnt from them. */
import { UserError } from '../../schema/errors.js';

/** What is said of a model that computes no numbers by itself. */
export const NOT_NUMBERS =
  "The model's own logits are not numbers (NaN) before anything is changed: its file is broken, or too narrow in its precision; use another file of the model, such as its float32 one.";

/** @throws UserError if the original's losses are not finite numbers */
export function requireOwnNumbers(losses: Iterable<number>): void {
  for (const loss of losses) if (!Number.isFinite(loss)) throw new UserError(NOT_NUMBERS);
}
