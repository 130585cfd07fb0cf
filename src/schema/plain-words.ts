/** Errors of the system, of JavaScript and of the validator in plain words, for use within a sentence: no full stop at the end. */
import type { BaseIssue } from 'valibot';
import { CancelledError, UserError } from './errors.js';

/** Errors of the file system by their code. */
const FILE_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'access is denied',
  EPERM: 'access is denied',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the space allowed to this user is full',
  EISDIR: 'it is a folder, where a file is expected',
  ENOTDIR: 'a part of the path is a file, where a folder is expected',
  ENAMETOOLONG: 'the name is too long for the disk',
  ELOOP: 'its links go round in a circle',
  EEXIST: 'it is there already',
  ENOTEMPTY: 'the folder is not empty',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open on this machine',
  EBUSY: 'another program uses it',
  ETXTBSY: 'another program uses it',
  EFBIG: 'it is larger than the disk allows',
  EIO: 'the disk could not be read or written',
  ENXIO: 'the device is not there',
  ENODEV: 'the device is not there',
  ESTALE: 'the network drive has lost it',
  ENOMEM: 'the machine has no memory left',
  ERR_FS_FILE_TOO_LARGE: 'it is larger than can be read at once',
};

/** Why a file could not be read or written; undefined if the error is not one of the file system. */
export function fileReason(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string') return undefined;
  const known = FILE_REASONS[code];
  return known ?? ('syscall' in (error as Error) ? `the system says ${code}` : undefined);
}

const UNFIT = 'its contents do not fit together';

/** Words in other people's messages that only programmers read. */
const PROGRAMMERS =
  /\b(undefined|null|NaN|object Object|is not a function|is not iterable|Cannot (read|convert|perform))\b/;

/** What an error says, without words that only programmers read. */
export function plainWords(error: unknown): string {
  const reason = fileReason(error);
  if (reason !== undefined) return reason;
  if (!(error instanceof Error)) return 'it ended without a reason';
  if (error instanceof UserError) return error.message.replace(/\.$/, '');
  if (/call stack/.test(error.message)) return 'it is nested too deeply';
  if (/Invalid (array|string|typed array) length|allocation failed|out of memory/i.test(error.message))
    return 'it would take more memory than there is';
  // What these say is about our code and not about the user's file.
  if (['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError'].includes(error.name)) return UNFIT;
  const said = error.message.trim().replace(/\.$/, '');
  return said === '' || PROGRAMMERS.test(said) ? UNFIT : said;
}

/** Why JSON text could not be read: the line, where it is known. @param error what JSON.parse threw */
export function jsonReason(error: unknown, text: string): string {
  const message = error instanceof Error ? error.message : '';
  if (message.includes('end of JSON input') || text.trim() === '') return 'it ends too early';
  const position = Number(/position (\d+)/.exec(message)?.[1] ?? positionOfExcerpt(message, text));
  if (Number.isNaN(position)) return 'a comma, a quotation mark or a bracket is missing or too many';
  const line = text.slice(0, position).split('\n').length;
  return `something is missing or too much in line ${line}`;
}

/** The excerpt begins ten characters before the error, where the text is long enough for that. */
function positionOfExcerpt(message: string, text: string): number {
  const excerpt = /, \.\.\."(.*)"(?:\.\.\.)? is not valid JSON$/s.exec(message)?.[1];
  const at = excerpt === undefined ? -1 : text.indexOf(excerpt);
  return at < 0 || text.includes(excerpt!, at + 1) ? Number.NaN : at + 10;
}

/** What is wrong with a value that does not fit its schema: 'it must be a number, not "a"'. */
export function issueWords(issue: BaseIssue<unknown>): string {
  const { expected, received, message } = issue;
  // A schema's own words.
  if (!message.startsWith('Invalid ')) return message;
  const wanted = expected === null ? undefined : wantedWords(expected, issue.type);
  const given = received === 'undefined' || expected?.startsWith('"') ? undefined : received.slice(0, 80);
  if (issue.kind === 'schema' && received === 'undefined') return 'it is missing';
  if (issue.type === 'integer') return `it must be a whole number, not ${received}`;
  if (wanted === undefined) return 'it is not as it must be';
  return `it must be ${wanted}${given === undefined ? '' : `, not ${given}`}`;
}

function wantedWords(expected: string, type: string): string {
  const words: Record<string, string> = {
    number: 'a number',
    string: 'text',
    boolean: 'true or false',
    Array: 'a list',
    Object: 'an object with named values',
    never: 'left out',
  };
  const [, sign, bound] = /^(>=|<=|<|>)(.*)$/.exec(expected) ?? [];
  if (sign !== undefined) {
    const how = { '>=': 'at least', '<=': 'at most', '<': 'less than', '>': 'more than' }[sign]!;
    return `${how} ${bound}${type.endsWith('length') ? ' long' : ''}`;
  }
  return expected
    .replace(/^\(|\)$/g, '')
    .split(' | ')
    .map((part) => words[part] ?? part.replaceAll('"', "'"))
    .join(' or ');
}

/**
 * What failed, as the user is to be told: an error of the file system is no fault of ours.
 * @returns the error itself where it is already meant for users, or where nobody but us can mend it
 */
export function forUsers(error: unknown): unknown {
  if (error instanceof UserError || error instanceof CancelledError) return error;
  const reason = fileReason(error);
  if (reason === undefined) return error;
  const { path, dest } = error as NodeJS.ErrnoException & { dest?: string };
  const where = dest ?? path ?? 'A file';
  return new UserError(
    `${where} cannot be read or written: ${reason}; mend that, or choose another place, and do it again.`,
    { cause: error },
  );
}
