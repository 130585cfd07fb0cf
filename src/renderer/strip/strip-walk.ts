/** Where an arrow key leads in the strip. */
import type { BlockName } from '../../schema/blocks.js';
import type { StripColumn } from './strip-cells.js';

/** @returns the block to go to, or undefined if the key does not move or there is nothing that way */
export function walk(columns: readonly StripColumn[], from: BlockName, key: string): BlockName | undefined {
  const [kind, layer] = from.split(' ') as [string, string];
  const row = columns.flatMap(({ cells }) => cells).filter((cell) => cell.kind === kind);
  const place = row.findIndex((cell) => cell.layer === Number(layer));
  switch (key) {
    case 'ArrowLeft':
      return row[place - 1]?.block;
    case 'ArrowRight':
      return row[place + 1]?.block;
    case 'Home':
      return row[0]?.block;
    case 'End':
      return row.at(-1)?.block;
    case 'ArrowUp':
    case 'ArrowDown': {
      const column = columns.find((candidate) => candidate.layer === Number(layer));
      return column?.cells.find(
        (cell) => (cell.kind === 'mlp') === (key === 'ArrowDown') && cell.block !== from,
      )?.block;
    }
    default:
      return undefined;
  }
}
