/** SHA-256 of what rows say, wherever they stand: for finding duplicates, splitting, and naming caches. */
import type { EncodedPrompt, EncodedRow } from './encoded-row.js';
import type { Example } from './example.js';
import { sha256 } from './sha256.js';

export type HashedRow = Example | EncodedRow | EncodedPrompt;

/** Hash (hex) of all that a row says; its line does not count. */
export function contentHash(row: HashedRow): string {
  const { line: _, ...content } = row;
  return sha256(JSON.stringify(Object.entries(content).toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

/** Hash (hex) of a row's prompt: rows that differ in their responses alone are alike. A plain text counts whole. */
export function promptHash(row: HashedRow): string {
  if ('messages' in row) return sha256(JSON.stringify(row.messages));
  if ('text' in row) return sha256(row.text);
  const ids = 'responseStart' in row && row.responseStart > 1 ? row.ids.slice(0, row.responseStart) : row.ids;
  return sha256(JSON.stringify(ids));
}

/** Hash (hex) of rows in their order. */
export function hashRows(rows: readonly HashedRow[]): string {
  return sha256(rows.map(contentHash).join('\n'));
}
