/** Does a CSV file begin with its columns' names? */
import { isKnownColumnName } from './column-names.js';

const longestName = 40;
const rowsCompared = 50;

/**
 * A guess from the first rows. Names are short, distinct, not numbers and not sentences; and either one of them is
 * a usual name, or they differ in kind from what stands below them.
 */
export function firstRowHoldsNames(records: readonly (readonly string[])[]): boolean {
  const [first, ...below] = records.slice(0, rowsCompared);
  if (first === undefined || !first.every(couldBeName)) return false;
  if (new Set(first.map((name) => name.trim().toLowerCase())).size !== first.length) return false;
  if (first.some(isKnownColumnName)) return true;
  if (below.length === 0) return false;
  return first.some((name, column) => {
    const values = below.map((record) => record[column] ?? '').filter((value) => value !== '');
    if (values.length === 0) return false;
    const numeric = values.every((value) => !Number.isNaN(Number(value)));
    const meanLength = values.reduce((sum, value) => sum + value.length, 0) / values.length;
    return numeric || meanLength > 3 * name.length;
  });
}

function couldBeName(field: string): boolean {
  const name = field.trim();
  return (
    name !== '' &&
    name.length <= longestName &&
    /^[\p{L}_][\p{L}\p{N}_ .:/()-]*$/u.test(name) &&
    !name.endsWith('.')
  );
}
