/** JSON: a list of objects (or strings), or an object that holds one such list. */
import { UserError } from '../../schema/errors.js';
import type { RawRow, RowsRead } from './raw-dataset.js';
import { jsonRowValues } from './raw-values.js';
import { readJsonl } from './read-jsonl.js';
import { unreadRows, type RowProblem } from './row-problems.js';
import { readWholeText } from './text-file.js';
import { jsonReason } from '../../schema/plain-words.js';

/**
 * Reads up to `maxRows` rows, numbered from 1. A '.json' file that holds JSON Lines is read as such.
 * @throws UserError if the file is not JSON or holds no list of rows
 */
export async function readJson(path: string, maxRows: number): Promise<RowsRead> {
  const text = await readWholeText(path);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    if (looksLikeJsonLines(text)) return { ...(await readJsonl(path, maxRows)), format: 'jsonl' };
    throw new UserError(`${path} is not valid JSON: ${jsonReason(error, text)}.`, {
      cause: error,
    });
  }
  const rows: RawRow[] = [];
  const problems: RowProblem[] = [];
  const list = listOfRows(parsed, path);
  for (const [index, item] of list.slice(0, maxRows).entries()) {
    const line = index + 1;
    const values = jsonRowValues(item);
    if (typeof values === 'string') problems.push({ line, kind: 'malformed', message: values });
    else rows.push({ line, values });
  }
  return {
    rows,
    problems: [...problems, ...unreadRows(maxRows + 1, Math.max(0, list.length - maxRows), maxRows)],
  };
}

/** The list of rows: the value itself, or the one list that the object holds. */
function listOfRows(value: unknown, path: string): unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object' || value === null) {
    throw new UserError(`${path} holds a single value; a JSON dataset is a list of objects.`);
  }
  const lists = Object.entries(value).filter(([, held]) => Array.isArray(held));
  const [only] = lists;
  if (only !== undefined && lists.length === 1) return only[1] as unknown[];
  const found = lists.length === 0 ? 'no list' : `several lists (${lists.map(([name]) => name).join(', ')})`;
  throw new UserError(
    `${path} holds an object with ${found}; a JSON dataset is a list of objects, or an object that holds one.`,
  );
}

/** Whether the first line with text is JSON by itself although the whole file is not. */
export function looksLikeJsonLines(text: string): boolean {
  const first = text.trimStart().split('\n', 1)[0]!;
  try {
    const value: unknown = JSON.parse(first);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
