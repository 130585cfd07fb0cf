/** Tables for the terminal: columns padded to their widest cell. */

export interface TableOptions {
  /** Columns that hold numbers, set flush right. */
  right?: readonly number[];
  indent?: string;
}

/** @param rows the first is the header, set off by a line */
export function formatTable(rows: readonly (readonly string[])[], options: TableOptions = {}): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const indent = options.indent ?? '';
  const line = (row: readonly string[]) =>
    indent +
    widths
      .map((width, column) => {
        const cell = row[column] ?? '';
        return options.right?.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const rule = indent + widths.map((width) => '-'.repeat(width)).join('  ');
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)].join('\n');
}
