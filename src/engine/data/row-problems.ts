/** What can be wrong with a row of a dataset; problems are counted and shown, and stop a job only if no row is left. */
import type { RowProblemKind, ProblemCount } from '../../schema/problems.js';
import { UserError } from '../../schema/errors.js';

export interface RowProblem {
  /** 1-based line of a text file; row number of a JSON array or a Parquet file. */
  line: number;
  kind: RowProblemKind;
  /** What is wrong, without the line: 'not valid JSON: ...'. */
  message: string;
  /** Rows from this one on that it is said of; default: 1. */
  rows?: number;
}

const linesShown = 5;

/** Counts problems by kind, the most frequent kind first. */
export function countProblems(problems: readonly RowProblem[]): ProblemCount[] {
  const counts = new Map<RowProblemKind, ProblemCount>();
  for (const { kind, line, message, rows = 1 } of problems) {
    const entry = counts.get(kind) ?? { kind, count: 0, lines: [], example: message };
    entry.count += rows;
    if (entry.lines.length < linesShown) entry.lines.push(line);
    counts.set(kind, entry);
  }
  return [...counts.values()].toSorted((a, b) => b.count - a.count);
}

/** That a file has more rows than are read; nothing where it has none. @param line of the first of them */
export function unreadRows(line: number | undefined, rows: number, maxRows: number): RowProblem[] {
  if (line === undefined || rows === 0) return [];
  const message = `reading stopped after ${maxRows.toLocaleString('en')} rows`;
  return [{ line, kind: 'unread', message, rows }];
}

/** One sentence such as '3 malformed (line 2, 5, 9: not valid JSON), 1 empty (line 4: a blank line)'. */
export function describeProblems(counts: readonly ProblemCount[]): string {
  return counts
    .map(({ kind, count, lines, example }) => {
      const more = count > lines.length ? ', ...' : '';
      return `${count} ${kind} (line ${lines.join(', ')}${more}: ${example})`;
    })
    .join('; ');
}

/**
 * Stops the job when no row survived.
 * @throws UserError naming the file and the first problems
 */
export function requireRows(rows: readonly unknown[], path: string, problems: readonly RowProblem[]): void {
  if (rows.length > 0) return;
  const why = problems.length > 0 ? describeProblems(countProblems(problems)) : 'it is empty';
  throw new UserError(`No row of ${path} can be used: ${why}.`);
}
