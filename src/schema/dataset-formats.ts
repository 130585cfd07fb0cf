/** Formats of dataset files, and the extensions that say which one a file has. */

export type DatasetFormat = 'jsonl' | 'json' | 'csv' | 'parquet' | 'text';

export const formatOfExtension: ReadonlyMap<string, DatasetFormat> = new Map([
  ['.jsonl', 'jsonl'],
  ['.ndjson', 'jsonl'],
  ['.json', 'json'],
  ['.csv', 'csv'],
  ['.tsv', 'csv'],
  ['.parquet', 'parquet'],
  ['.txt', 'text'],
  ['.text', 'text'],
  ['.md', 'text'],
]);

/** Extensions (with the dot) of files that are read as datasets, for file dialogs. */
export const datasetExtensions: readonly string[] = [...formatOfExtension.keys()];
