/** A dataset as its file holds it: named columns, numbered rows, and what could not be read. */
import type { DatasetFormat } from '../../schema/columns.js';
import type { RowProblem } from './row-problems.js';

export interface RawRow {
  /** 1-based line of a text file where the row starts; row number of a JSON array or a Parquet file. */
  line: number;
  /** Values by column; an object without a prototype. */
  values: Record<string, unknown>;
}

export interface RawDataset {
  path: string;
  format: DatasetFormat;
  columns: string[];
  rows: RawRow[];
  problems: RowProblem[];
}

/** What a reader of one format gives. */
export interface RowsRead {
  rows: RawRow[];
  problems: RowProblem[];
  /** Absent: the names that the rows show. */
  columns?: string[];
  /** The format found, where it is not the one asked for. */
  format?: DatasetFormat;
}
