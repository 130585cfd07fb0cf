/** Values of a row under the names of its columns, safe for names such as '__proto__'. */

/** An object without a prototype: no column name can reach or change an inherited property. */
export function rowValues(entries: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const values = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of entries) values[name] = value;
  return values;
}

/**
 * One row of JSON: an object is taken by its names, a string becomes the column 'text'.
 * Anything else gives a message that says what was found.
 */
export function jsonRowValues(value: unknown): Record<string, unknown> | string {
  if (typeof value === 'string') return rowValues([['text', value]]);
  if (Array.isArray(value)) return 'a list, where an object with named columns is expected';
  if (typeof value !== 'object' || value === null) {
    const found = value === null ? 'an empty value' : JSON.stringify(value);
    return `${found}, where an object with named columns is expected`;
  }
  return rowValues(Object.entries(value));
}

/** Column names of all rows, in the order in which they first appear. */
export function columnsOf(rows: readonly { values: Record<string, unknown> }[]): string[] {
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row.values)) names.add(name);
  return [...names];
}

/** Distinct, non-empty names: 'a', 'a', '' becomes 'a', 'a_2', 'column_3'. */
export function distinctNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((given, index) => {
    const name = given.trim() || `column_${index + 1}`;
    let distinct = name;
    for (let count = 2; taken.has(distinct); count += 1) distinct = `${name}_${count}`;
    taken.add(distinct);
    return distinct;
  });
}
