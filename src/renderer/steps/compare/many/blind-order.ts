/** Blind votes: in which order prompts come, and behind which letter each model hides, by lot. */
import type { ComparedRow, Vote } from '../../../../schema/comparison.js';

export interface BlindPair {
  row: ComparedRow;
  /** Whether A is the first model. */
  firstIsA: boolean;
}

/** Pairs whose answers differ and that are not voted on yet. */
export function blindPairs(
  rows: readonly ComparedRow[],
  other: number,
  votes: readonly Vote[],
  seed: string,
): { pairs: BlindPair[]; voted: number } {
  const differing = rows.filter(({ answers }) => answers[other]?.same === false);
  const done = new Set(votes.filter(({ model }) => model === other).map(({ prompt }) => prompt));
  const open = differing.filter(({ index }) => !done.has(index));
  const ordered = open.toSorted((a, b) => lot(`${seed} order ${a.index}`) - lot(`${seed} order ${b.index}`));
  return {
    pairs: ordered.map((row) => ({ row, firstIsA: lot(`${seed} side ${other} ${row.index}`) % 2 === 0 })),
    voted: differing.length - open.length,
  };
}

/** A whole number of 32 bits that looks drawn by lot (FNV-1a, mixed as murmur3 ends). */
function lot(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
