/** Whether two constants hold the same matrix: exporters write an embedding that is the head, too, twice. */
import type { RowsOfWeight } from './weight-rows.js';

/** Rows that are compared first: of other weights nearly all differ. */
const FIRST_ROWS = 8;

export function sameRows(one: RowsOfWeight, other: RowsOfWeight, folder: string | undefined): boolean {
  if (one.rows !== other.rows || one.columns !== other.columns || one.bits !== other.bits) return false;
  if (one.name === other.name) return true;
  const [readOne, readOther] = [one.open(folder), other.open(folder)];
  const [a, b] = [new Float32Array(one.columns), new Float32Array(one.columns)];
  const agrees = (row: number) => {
    readOne(row, a);
    readOther(row, b);
    return a.every((value, column) => value === b[column]);
  };
  const step = Math.max(1, Math.floor(one.rows / FIRST_ROWS));
  for (let row = 0; row < one.rows; row += step) if (!agrees(row)) return false;
  for (let row = 0; row < one.rows; row += 1) if (!agrees(row)) return false;
  return true;
}
