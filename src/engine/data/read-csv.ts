/** CSV and its relatives (tab or semicolon between the fields), with or without a first row of names. */
import { isUtf8 } from 'node:buffer';
import { CsvError, parse, type Options } from 'csv-parse/sync';
import type { RawRow, RowsRead } from './raw-dataset.js';
import { firstRowHoldsNames } from './csv-header.js';
import { distinctNames, rowValues } from './raw-values.js';
import { unreadRows, type RowProblem } from './row-problems.js';
import { NOT_UTF8, readBytes } from './text-file.js';

export interface CsvOptions {
  /** Whether the first row holds the columns' names; guessed if not said. */
  header?: boolean;
  /** The character between two fields; guessed if not said. */
  delimiter?: string;
}

interface CsvRecord {
  line: number;
  fields: string[];
}

/** An unclosed quotation mark would otherwise swallow the rest of a large file. */
const recordLimit = 16 * 2 ** 20;

/** Reads up to `maxRows` rows. Without a row of names the columns are 'column_1', 'column_2', ... */
export async function readCsv(path: string, maxRows: number, options: CsvOptions = {}): Promise<RowsRead> {
  const bytes = await readBytes(path);
  const { records, problems, more } = parseRecords(
    bytes,
    options.delimiter ?? guessDelimiter(bytes),
    maxRows + 1,
  );
  const [first] = records;
  if (first === undefined) return { rows: [], problems, columns: [] };

  const header = options.header ?? firstRowHoldsNames(records.map(({ fields }) => fields));
  const columns = distinctNames(header ? first.fields : first.fields.map(() => ''));
  const rows: RawRow[] = [];
  const unread: number[] = [];
  for (const { line, fields } of header ? records.slice(1) : records) {
    if (fields.every((field) => field.trim() === '')) {
      problems.push({ line, kind: 'empty', message: 'a row without any text' });
    } else if (fields.length !== columns.length) {
      problems.push({
        line,
        kind: 'malformed',
        message: `${fields.length} fields instead of ${columns.length}`,
      });
    } else if (rows.length >= maxRows) {
      unread.push(line);
    } else {
      rows.push({ line, values: rowValues(columns.map((name, index) => [name, fields[index]])) });
    }
  }
  const firstUnread = unread[0] ?? more.line;
  problems.push(...unreadRows(firstUnread, unread.length + more.rows, maxRows));
  return { rows, problems: problems.toSorted((a, b) => a.line - b.line), columns };
}

/**
 * The first records with the lines they start in, and how many more there are. A record that breaks the rules of quoting costs one line: reading
 * goes on with the next.
 */
function parseRecords(
  bytes: Buffer,
  delimiter: string,
  maxRecords: number,
): { records: CsvRecord[]; problems: RowProblem[]; more: { line: number | undefined; rows: number } } {
  const records: CsvRecord[] = [];
  const problems: RowProblem[] = [];
  const more: { line: number | undefined; rows: number } = { line: undefined, rows: 0 };
  let base = 0;
  let line = 1;
  while (base < bytes.length) {
    const rest = bytes.subarray(base);
    let consumed = 0;
    try {
      parse(rest, {
        delimiter,
        record_delimiter: ['\r\n', '\n', '\r'],
        relax_column_count: true,
        max_record_size: recordLimit,
        on_record: (fields: string[], context) => {
          const end = context.bytes_records;
          if (records.length <= maxRecords) records.push({ line, fields });
          else {
            more.line ??= line;
            more.rows += 1;
          }
          line += countLineEnds(rest, consumed, end);
          consumed = end;
          return null;
        },
      } as Options);
      break;
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      problems.push({ line, kind: 'malformed', message: reasonOf(error) });
      base += nextLine(rest, consumed);
      line += 1;
    }
  }
  return {
    records: isUtf8(bytes) ? records : records.filter((record) => isText(record, problems)),
    problems,
    more,
  };
}

/** csv-parse decodes leniently: in a file that is not UTF-8, bad bytes show as replacement characters. */
function isText({ line, fields }: CsvRecord, problems: RowProblem[]): boolean {
  if (!fields.some((field) => field.includes('\uFFFD'))) return true;
  problems.push({ line, kind: 'malformed', message: NOT_UTF8 });
  return false;
}

function reasonOf(error: CsvError): string {
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') return 'a quotation mark is opened and never closed';
  if (error.code === 'CSV_MAX_RECORD_SIZE')
    return `a row longer than ${recordLimit / 2 ** 20} MiB, perhaps an unclosed quotation mark`;
  if (error.code === 'INVALID_OPENING_QUOTE') return 'a quotation mark inside a field that is not quoted';
  if (error.code === 'CSV_INVALID_CLOSING_QUOTE') return 'text after a closing quotation mark';
  return 'the marks of quoting do not fit together';
}

function countLineEnds(bytes: Buffer, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at += 1) {
    if (bytes[at] === 0x0a || (bytes[at] === 0x0d && bytes[at + 1] !== 0x0a)) count += 1;
  }
  return count;
}

function nextLine(bytes: Buffer, start: number): number {
  for (let at = start; at < bytes.length; at += 1) {
    if (bytes[at] === 0x0a || (bytes[at] === 0x0d && bytes[at + 1] !== 0x0a)) return at + 1;
  }
  return bytes.length;
}

/** The one of comma, tab, semicolon and bar that is most frequent in the first line, outside quotation marks. */
function guessDelimiter(bytes: Buffer): string {
  const firstLine = bytes
    .subarray(0, nextLine(bytes, 0))
    .toString('utf8')
    .replaceAll(/"[^"]*"/g, '');
  const candidates = [',', '\t', ';', '|'].map((character) => ({
    character,
    count: firstLine.split(character).length - 1,
  }));
  return candidates.reduce((best, candidate) => (candidate.count > best.count ? candidate : best)).character;
}
