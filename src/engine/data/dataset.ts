/** Reads a dataset, whatever the format of its file. */
import { FORMAT_OF_EXTENSION, type DatasetFormat, type TextUnit } from '../../schema/columns.js';
import { extname } from 'node:path';
import { UserError } from '../../schema/errors.js';
import type { RawDataset, RowsRead } from './raw-dataset.js';
import { columnsOf } from './raw-values.js';
import { readCsv, type CsvOptions } from './read-csv.js';
import { looksLikeJsonLines, readJson } from './read-json.js';
import { readJsonl } from './read-jsonl.js';
import { readParquet } from './read-parquet.js';
import { refuseOtherFormats } from './other-formats.js';
import { readText } from './read-text.js';
import { requireRows } from './row-problems.js';
import { readHead } from './text-file.js';

export interface ReadDatasetOptions {
  /** Default: by the file name's extension, else by its first bytes. */
  format?: DatasetFormat;
  /** Rows beyond are not read, which is reported as a problem of kind 'unread'. Default: 100,000. */
  maxRows?: number;
  csv?: CsvOptions;
  /** What a row of a plain text file is. Default: 'auto'. */
  textUnit?: TextUnit;
}

const defaultMaxRows = 100_000;

/**
 * Reads a dataset of any supported format. Rows that cannot be read are listed as problems.
 * @throws UserError if the file cannot be read at all, or if no row of it can be used
 */
export async function readDataset(path: string, options: ReadDatasetOptions = {}): Promise<RawDataset> {
  const { maxRows = defaultMaxRows } = options;
  if (!Number.isInteger(maxRows) || maxRows < 1) {
    throw new UserError(`The number of rows to read from ${path} must be at least 1, not ${maxRows}.`);
  }
  refuseOtherFormats(path, await readHead(path, 4096));
  const asked =
    options.format ?? FORMAT_OF_EXTENSION.get(extname(path).toLowerCase()) ?? (await sniffFormat(path));
  const read = await readAs(asked, path, maxRows, options);
  const { rows, problems, columns = columnsOf(rows), format = asked } = read;
  requireRows(rows, path, problems);
  return { path, format, columns, rows, problems };
}

function readAs(
  format: DatasetFormat,
  path: string,
  maxRows: number,
  options: ReadDatasetOptions,
): Promise<RowsRead> {
  switch (format) {
    case 'jsonl':
      return readJsonl(path, maxRows);
    case 'json':
      return readJson(path, maxRows);
    case 'csv': {
      const tabs = extname(path).toLowerCase() === '.tsv' ? { delimiter: '\t' } : {};
      return readCsv(path, maxRows, { ...tabs, ...options.csv });
    }
    case 'parquet':
      return readParquet(path, maxRows);
    case 'text':
      return readText(path, maxRows, options.textUnit);
  }
}

/** The format of a file whose name does not say it. */
async function sniffFormat(path: string): Promise<DatasetFormat> {
  const head = await readHead(path, 64 * 1024);
  if (head.subarray(0, 4).toString('latin1') === 'PAR1') return 'parquet';
  if (head.includes(0)) {
    throw new UserError(
      `${path} is not a dataset that Hopscotch knows; use JSONL, JSON, CSV, Parquet or plain text.`,
    );
  }
  const text = head.toString('utf8').trimStart();
  if (text.startsWith('[')) return 'json';
  if (text.startsWith('{')) return looksLikeJsonLines(text) ? 'jsonl' : 'json';
  return 'text';
}
