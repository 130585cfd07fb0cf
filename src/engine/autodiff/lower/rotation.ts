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
export function rotate({ write }: LoweringContext, value: string, rotation: Rotation): string {
  const { cos, sin, rotated, headSize, interleaved } = rotation;
  const half = rotated / 2;
  const rest = headSize - rotated;
  const split = (of: string, sizes: number[]) =>
    write.emitSeveral('Split', [of, write.integers(sizes)], { axis: -1 }, sizes.length);
  const turn = (a: string, b: string) => [
    write.emit('Sub', [write.emit('Mul', [a, cos]), write.emit('Mul', [b, sin])]),
    write.emit('Add', [write.emit('Mul', [b, cos]), write.emit('Mul', [a, sin])]),
  ];
  if (!interleaved) {
    const [first, second, ...others] = split(value, rest > 0 ? [half, half, rest] : [half, half]);
    return write.emit('Concat', [...turn(first!, second!), ...others], { axis: -1 });
  }
  const [front, ...others] = rest > 0 ? split(value, [rotated, rest]) : [value];
  const last = write.integers([-1]);
  const pairs = write.emit('Reshape', [front!, write.integers([0, 0, 0, half, 2])]);
  const [even, odd] = split(pairs, [1, 1]).map((part) => write.emit('Squeeze', [part, last]));
  const turned = turn(even!, odd!).map((part) => write.emit('Unsqueeze', [part, last]));
  const together = write.emit('Concat', turned, { axis: -1 });
  const flat = write.emit('Reshape', [together, write.integers([0, 0, 0, rotated])]);
  return others.length > 0 ? write.emit('Concat', [flat, ...others], { axis: -1 }) : flat;
}

/** 0, 1, 2... for each position of a value, int64 [positions]. */
export function countPositions({ write }: LoweringContext, like: string, axis: number): string {
  const length = write.emit('Gather', [write.emit('Shape', [like]), write.integer(axis)], { axis: 0 });
  return write.emit('Range', [write.integer(0), length, write.integer(1)]);
}
