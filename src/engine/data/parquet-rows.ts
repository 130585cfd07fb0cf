/** Rows of a Parquet file, with every compression that hyparquet knows; values become plain JSON-like ones. */
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { RawRow, RowsRead } from './raw-dataset.js';
import { rowValues } from './raw-values.js';
import { unreadRows } from './row-problems.js';

/**
 * Reads up to `maxRows` rows, numbered from 1. A damaged file may keep this busy for ever, or fill the memory: it is to
 * run where it can be ended.
 * @throws Error if the file is not Parquet or uses something that cannot be read
 */
export async function parquetRows(path: string, maxRows: number): Promise<RowsRead> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
  const total = Number(metadata.num_rows);
  let rows: RawRow[] = [];
  await parquetRead({
    file,
    metadata,
    compressors: boundedCompressors,
    rowEnd: Math.min(total, maxRows),
    // Rows as objects would lose a column named '__proto__'.
    rowFormat: 'array',
    onComplete: (cells) => {
      rows = cells.map((row, index) => ({
        line: index + 1,
        values: rowValues(columns.map((name, column) => [name, plainValue(row[column])])),
      }));
    },
  });
  return {
    rows,
    columns,
    problems: unreadRows(maxRows + 1, Math.max(0, total - maxRows), maxRows),
  };
}

/** A page of a file that says it holds more is a bomb. */
const PAGE_LIMIT = 2 ** 30;

const boundedCompressors: typeof compressors = Object.fromEntries(
  Object.entries(compressors).map(([name, decompress]) => [
    name,
    (input: Uint8Array, length: number) => {
      if (length > PAGE_LIMIT) throw new Error('a page of it unpacks to more than 1 GiB');
      return decompress(input, length);
    },
  ]),
);

/** Dates as ISO text, large integers as text, byte strings as text, structures field by field. */
function plainValue(value: unknown): unknown {
  if (typeof value === 'bigint') {
    return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  }
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as Iterable<unknown>, plainValue);
  if (Array.isArray(value)) return value.map(plainValue);
  return rowValues(Object.entries(value).map(([name, held]) => [name, plainValue(held)]));
}
