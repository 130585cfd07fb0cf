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
  /** Tokens that a model reads up to which rows are no batch with longer ones (a decoder's `rotaryBorder`). Default: none. */
  border?: number | undefined;
}

/** @throws UserError if `batchRows` is not a positive whole number */
export function makeBatches(rows: readonly EncodedRow[], options: BatchOptions): EncodedRow[][] {
  const { batchRows, order, seed = 0, border } = options;
  const batches = (sorted: readonly EncodedRow[]) =>
    chunks(sorted, batchRows).flatMap((batch) => apartAtBorder(batch, border));
  if (!Number.isInteger(batchRows) || batchRows < 1) {
    throw new UserError(`A batch must have at least 1 row, not ${batchRows}.`);
  }
  if (order === 'file') return batches(rows);
  const byLength = rows.toSorted((a, b) => a.ids.length - b.ids.length);
  return shuffled(batches(byLength), seed);
}

/**
 * The rows up to the border and those beyond, in their order. A row's last token is not read, only predicted.
 * @param border as in `BatchOptions`
 */
export function apartAtBorder<Row extends { ids: readonly number[] }>(
  rows: readonly Row[],
  border = Infinity,
): Row[][] {
  const isBeyond = ({ ids }: Row) => ids.length - 1 > border;
  return [rows.filter((row) => !isBeyond(row)), rows.filter(isBeyond)].filter((part) => part.length > 0);
}

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
