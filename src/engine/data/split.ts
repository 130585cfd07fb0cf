/** Which rows the scales are trained on and which ones judge them. */
import { UserError } from '../../schema/errors.js';
import { promptHash, type HashedRow } from './content-hash.js';
import { hashToUnit } from './seeded-random.js';

/** Indexes into the rows, ascending; no row is in both. */
export interface Split {
  calibration: number[];
  heldout: number[];
}

export interface SplitOptions {
  seed: number;
  /** Part of the rows to hold out, if `heldoutRows` does not say how many. Default: 0.2. */
  heldoutFraction?: number;
  /** Rows to hold out; a few more where rows share a prompt, since those stay together. */
  heldoutRows?: number;
  /** At most so many rows to train on. Default: all others. */
  calibrationRows?: number;
  /** Asked only of rows that are drawn; those that cannot be used are passed over. Default: all can. */
  isUsable?: (index: number) => boolean;
}

/**
 * Splits rows by a hash of their prompts and the seed: the same rows give the same split in any order, a row more
 * or less moves no more than the rows at the border, and rows with the same prompt never fall on both sides.
 * @throws UserError if a side would be empty, however many of the rows can be used
 */
export function splitRows(rows: readonly HashedRow[], options: SplitOptions): Split {
  const keys = rows.map(promptHash);
  const { heldoutFraction = 0.2, calibrationRows = Infinity, isUsable = () => true } = options;
  const wanted = options.heldoutRows ?? Math.max(1, Math.round(heldoutFraction * keys.length));
  requireSensible(keys.length, wanted, heldoutFraction, calibrationRows);

  const groups = new Map<string, number[]>();
  for (const [index, key] of keys.entries()) {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  }
  const ordered = [...groups.values()]
    .map((indexes) => ({ indexes, rank: hashToUnit(options.seed, keys[indexes[0]!]!) }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ indexes }) => indexes);
  const heldout: number[] = [];
  const calibration: number[] = [];
  if (ordered.length === 1 && wanted > 0) {
    throw new UserError('A split needs at least two rows with different prompts; add rows to the dataset.');
  }
  // In turn, so that both sides have their share however few of the rows can be used.
  const share = wanted / Math.min(calibrationRows, keys.length - wanted);
  while (ordered.length > 0) {
    const wantsMore = calibration.length < calibrationRows;
    if (heldout.length < wanted && (!wantsMore || heldout.length <= calibration.length * share))
      heldout.push(...ordered.shift()!.filter(isUsable));
    // From the far end, so that holding out more rows changes the training rows as little as possible.
    else if (wantsMore) calibration.push(...ordered.pop()!.filter(isUsable));
    else break;
  }
  const ascending = (a: number, b: number): number => a - b;
  return {
    calibration: calibration.toSorted(ascending).slice(0, calibrationRows),
    heldout: heldout.toSorted(ascending),
  };
}

function requireSensible(rows: number, heldoutRows: number, fraction: number, calibrationRows: number): void {
  if (!(fraction >= 0 && fraction < 1)) {
    throw new UserError(`The held-out part must be between 0 and 1, not ${fraction}.`);
  }
  if (!(heldoutRows >= 0 && calibrationRows >= 1)) {
    throw new UserError(
      'The number of rows to train on must be at least 1, that of held-out rows at least 0.',
    );
  }
  if (heldoutRows >= rows) {
    throw new UserError(`${heldoutRows} of ${rows} rows cannot be held out: none would be left to train on.`);
  }
}
