/** JSON Lines: one object (or string) a line. */
import type { RawRow, RowsRead } from './raw-dataset.js';
import { jsonRowValues } from './raw-values.js';
import { unreadRows, type RowProblem } from './row-problems.js';
import { readLines } from './text-file.js';
import { jsonReason } from '../../schema/plain-words.js';

/** Reads up to `maxRows` rows; lines that cannot be read become problems. */
export async function readJsonl(path: string, maxRows: number): Promise<RowsRead> {
  const rows: RawRow[] = [];
  const problems: RowProblem[] = [];
  // A blank last line is how many programs end a file, and no fault of the data.
  let blank: number[] = [];
  const unread: number[] = [];
  for await (const { line, text, problem } of readLines(path)) {
    if (text?.trim() === '') {
      blank.push(line);
      continue;
    }
    problems.push(...blank.map((at) => ({ line: at, kind: 'empty' as const, message: 'a blank line' })));
    blank = [];
    if (rows.length >= maxRows) {
      unread.push(line);
      continue;
    }
    const values = text === undefined ? problem! : parseLine(text);
    if (typeof values === 'string') problems.push({ line, kind: 'malformed', message: values });
    else rows.push({ line, values });
  }
  return { rows, problems: [...problems, ...unreadRows(unread[0], unread.length, maxRows)] };
}

function parseLine(text: string): Record<string, unknown> | string {
  try {
    return jsonRowValues(JSON.parse(text));
  } catch (error) {
    return `not valid JSON: ${jsonReason(error, text)}`;
  }
}
