/** How many rows of a side are used: as many as a number of tokens allows, drawn by lot. */
import type { JobSettings } from '../../../schema/settings.js';
import type { EncodedRow } from '../../data/encoded-row.js';
import type { Example } from '../../data/example.js';
import type { RowProblem } from '../../data/row-problems.js';
import { hashToUnit } from '../../data/seeded-random.js';
import { encodeSide, type RowReader, type RowSettings, type TaskRows } from './rows.js';

export type Side = 'calibration' | 'heldout';

export interface UsedRows {
  /** In the order of the file. */
  rows: EncodedRow[];
  /** Of the rows that were looked at. */
  problems: RowProblem[];
  /** Rows that could be used and are more than the tokens allow. */
  unused: number;
}

/** Encoded at first; twice as many each time that these are too few. */
const FIRST_ROWS = 256;

/**
 * The rows of a side that a job uses. Rows that the user names, or the number of which they give, are all used. An
 * answer of the model's own, not known yet, counts as the longest that it may be.
 * @throws UserError if no row can be used
 */
export function usedRows(reader: RowReader, task: TaskRows, side: Side, settings: RowSettings): UsedRows {
  const examples = task[side];
  const encode = (some: readonly Example[]) => encodeSide(reader, some, task.responses, settings);
  const limit = tokenLimit(side, settings);
  if (limit === undefined) return { ...encode(examples), unused: 0 };
  const answer = task.responses === 'own' ? settings.maxNewTokens : 0;
  const drawn = examples
    .map((example, index) => ({ example, rank: hashToUnit(settings.seed, String(index)) }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ example }) => example);
  for (let count = FIRST_ROWS; ; count *= 2) {
    const { rows, problems } = encode(drawn.slice(0, count));
    const used = firstRows(rows, limit, (row) => Math.min(row.ids.length + answer, settings.maxTokens));
    if (used < rows.length || count >= drawn.length) {
      const unused = rows.length - used + Math.max(0, drawn.length - count);
      return { rows: rows.slice(0, used).toSorted((a, b) => a.line - b.line), problems, unused };
    }
  }
}

function tokenLimit(
  side: Side,
  settings: Pick<
    JobSettings,
    'calibrationRange' | 'calibrationRows' | 'heldoutRows' | 'calibrationTokens' | 'heldoutTokens'
  >,
): number | undefined {
  if (settings.calibrationRange) return undefined;
  const rows = side === 'calibration' ? settings.calibrationRows : settings.heldoutRows;
  if (rows !== undefined) return undefined;
  return side === 'calibration' ? settings.calibrationTokens : settings.heldoutTokens;
}

/** How many of the first rows stay within the limit; one at the least. */
function firstRows(
  rows: readonly EncodedRow[],
  limit: number,
  tokensOf: (row: EncodedRow) => number,
): number {
  let tokens = 0;
  const end = rows.findIndex((row) => (tokens += tokensOf(row)) > limit);
  return end < 0 ? rows.length : Math.max(1, end);
}
