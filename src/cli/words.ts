/** Numbers and names in words, as the command line writes them. */
import type { BlockName } from '../engine/index.js';

/** '1 row', '2 rows'. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

export function blockList(blocks: readonly BlockName[]): string {
  return blocks.length === 0 ? 'none' : blocks.join(', ');
}
