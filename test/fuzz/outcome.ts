/** What came of a case. */
import { CancelledError, UserError } from '../../src/schema/errors.js';
import { forUsers } from '../../src/schema/plain-words.js';
import type { Kind } from './kind.js';

export type Outcome =
  /** The input was read, damaged as it is. */
  | { is: 'read' }
  /** In a sentence that a user understands. */
  | { is: 'refused'; message: string }
  /** In a sentence with words that only programmers know. */
  | { is: 'badly worded'; message: string }
  /** A fault of ours. */
  | { is: 'internal error'; message: string };

/** Words of JavaScript, the validator and the system. */
const PROGRAMMERS =
  /\b(undefined|null|TypeError|RangeError|SyntaxError|is not a function|is not iterable|Cannot (read|convert|mix|set|destructure)|Unexpected (token|end)|Invalid (type|key|length|value|array|string)|Expected .* but received|ENOENT|EACCES|EISDIR|ENOTDIR|ENOSPC|[a-z_]+\.(cc|h|ts|js):\d+)\b|\n\s+at /;

export async function outcomeOf(kind: Kind, folder: string): Promise<Outcome> {
  try {
    await kind.use(folder);
    return { is: 'read' };
  } catch (thrown) {
    const error = forUsers(thrown);
    if (error instanceof CancelledError) return { is: 'read' };
    if (!(error instanceof UserError))
      return {
        is: 'internal error',
        message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      };
    const { message } = error;
    // Names and texts of the input itself, in quotation marks, are the user's own.
    const words = message.replaceAll(/'[^']*'|"[^"]*"/g, '').replaceAll(folder, '');
    return {
      is: PROGRAMMERS.test(words) || !/[.!?]$/.test(message.trim()) ? 'badly worded' : 'refused',
      message,
    };
  }
}
