/**
 * Rotary positions (arXiv 2104.09864): pairs (a, b) of a head's first elements become (a cos - b sin, b cos + a sin).
 * Pairs are (i, i + half), or neighbours where interleaved.
 */
import type { LoweringContext } from './lowering.js';

export interface Rotation {
  /** Broadcast over [.., .., .., rotated / 2] of the value. */
  cos: string;
  sin: string;
  /** Elements of each head that are rotated; the others stay. */
  rotated: number;
  headSize: number;
  interleaved: boolean;
}

/** @param value [rows, heads, positions, head size], or heads and positions the other way round */
export function rotate({ op }: LoweringContext, value: string, rotation: Rotation): string {
  const { cos, sin, rotated, headSize, interleaved } = rotation;
  const half = rotated / 2;
  const rest = headSize - rotated;
  const turn = (a: string, b: string) => [
    op.sub(op.mul(a, cos), op.mul(b, sin)),
    op.add(op.mul(b, cos), op.mul(a, sin)),
  ];
  if (!interleaved) {
    const [first, second, ...others] = op.split(value, rest > 0 ? [half, half, rest] : [half, half], -1);
    return op.concat([...turn(first!, second!), ...others], -1);
  }
  const [front, ...others] = rest > 0 ? op.split(value, [rotated, rest], -1) : [value];
  const pairs = op.reshape(front!, [0, 0, 0, half, 2]);
  const [even, odd] = op.split(pairs, [1, 1], -1).map((part) => op.squeeze(part, [-1]));
  const turned = turn(even!, odd!).map((part) => op.unsqueeze(part, [-1]));
  const flat = op.reshape(op.concat(turned, -1), [0, 0, 0, rotated]);
  return others.length > 0 ? op.concat([flat, ...others], -1) : flat;
}

/** 0, 1, 2... for each position of a value, int64 [positions]. */
export function countPositions({ op }: LoweringContext, like: string, axis: number): string {
  return op.range(op.gather(op.shape(like), op.integer(axis), 0));
}
