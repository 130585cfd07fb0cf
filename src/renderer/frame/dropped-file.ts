/** Whether a dropped file is a task or a model: by its ending, for nothing else is known of it here. */
export function looksLikeDataset(path: string): boolean {
  return /\.(jsonl|ndjson|json|csv|tsv|parquet|txt|md)$/i.test(path);
}
