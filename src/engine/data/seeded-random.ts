/** Numbers that look random and are the same for the same seed, on every machine. */
import { createHash } from 'node:crypto';

/** A number in [0, 1) for a seed and a text; unrelated texts give unrelated numbers. */
export function hashToUnit(seed: number, text: string): number {
  return createHash('sha256').update(`${seed}:${text}`).digest().readUIntBE(0, 6) / 2 ** 48;
}

/** A copy in an order that the seed decides. */
export function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  const keys = items.map((_, index) => hashToUnit(seed, `position ${index}`));
  const order = items.map((_, index) => index).toSorted((a, b) => keys[a]! - keys[b]!);
  return order.map((index) => items[index]!);
}
