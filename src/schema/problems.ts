/** What can be wrong with a row of a dataset; problems are counted and shown, and stop a job only if no row is left. */
import * as v from 'valibot';
import { count } from './values.js';

export const rowProblemKind = v.picklist([
  /** The row cannot be read or holds something else than was expected. */
  'malformed',
  /** The row, or the part of it that counts, holds no text. */
  'empty',
  /** An earlier row says the same. */
  'duplicate',
  /** The row has a prompt but no response where one is needed. */
  'no-response',
  /** The row was left out because it holds a token that the model's embedding has no row for. */
  'unknown-token',
  /** The row was left out because it has too many tokens. */
  'too-long',
  /** The row was kept and shortened because it has too many tokens. */
  'cut',
  /** The file goes on, but reading stopped here because of a limit. */
  'unread',
]);
export type RowProblemKind = v.InferOutput<typeof rowProblemKind>;

/** Problems of one kind, for a short report. */
export const problemCount = v.object({
  kind: rowProblemKind,
  count,
  /** The first few lines concerned, in order. */
  lines: v.array(count),
  /** The message of the first one. */
  example: v.string(),
});
export type ProblemCount = v.InferOutput<typeof problemCount>;
