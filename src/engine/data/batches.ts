/** Rows grouped for training and measuring. */
import { UserError } from '../../schema/errors.js';
import type { EncodedRow } from './encoded-row.js';
import { shuffled } from './seeded-random.js';

export interface BatchOptions {
  /** Rows a batch; the last batch may have fewer. */
  batchRows: number;
  /**
   * 'file': as they come, as published figures are made. 'length-buckets': rows of similar length together, which
   * saves padding, and the batches in an order that the seed decides.
   */
  order: 'file' | 'length-buckets';
  /** Another seed gives another order of the batches. Default: 0. */
  seed?: number;
}

/** @throws UserError if `batchRows` is not a positive whole number */
export function makeBatches(rows: readonly EncodedRow[], options: BatchOptions): EncodedRow[][] {
  const { batchRows, order, seed = 0 } = options;
  if (!Number.isInteger(batchRows) || batchRows < 1) {
    throw new UserError(`A batch must have at least 1 row, not ${batchRows}.`);
  }
  if (order === 'file') return chunks(rows, batchRows);
  const byLength = rows.toSorted((a, b) => a.ids.length - b.ids.length);
  return shuffled(chunks(byLength, batchRows), seed);
}

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
