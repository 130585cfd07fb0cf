/** Parquet, with every compression that hyparquet knows; values become plain JSON-like ones. */
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { UserError } from '../../schema/errors.js';
import type { RawRow, RowsRead } from './raw-dataset.js';
import { rowValues } from './raw-values.js';
import { unreadRows } from './row-problems.js';
import { fileSize } from './text-file.js';

/**
 * Reads up to `maxRows` rows, numbered from 1.
 * @throws UserError if the file is not Parquet or uses something that cannot be read
 */
export async function readParquet(path: string, maxRows: number): Promise<RowsRead> {
  await fileSize(path);
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
    const total = Number(metadata.num_rows);
    let rows: RawRow[] = [];
    await parquetRead({
      file,
      metadata,
      compressors,
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
  } catch (error) {
    throw new UserError(`${path} cannot be read as Parquet: ${(error as Error).message}.`, { cause: error });
  }
}

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
