/** Shapes under ONNX's multidirectional broadcasting (ONNX documentation, Broadcasting). */
import type { Shape } from './value-types.js';

/** Whether two shapes agree axis by axis; dimensions that vary between runs are taken to vary together. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/** The shape with ones put before it up to the given rank. */
export function padShape(shape: Shape, rank: number): Shape {
  return [...Array.from({ length: Math.max(0, rank - shape.length) }, () => 1), ...shape];
}

/** The number of elements, or undefined where it varies between runs. */
export function sizeOf(shape: Shape): number | undefined {
  return shape.reduce<number | undefined>(
    (size, dim) => (size === undefined || dim === undefined ? undefined : size * dim),
    1,
  );
}

/**
 * The axes over which a value of shape `to` was repeated to become `from`: `leading` ones that `to` lacks and `inner`
 * ones where it has 1. An unknown dimension of `to` is taken not to be repeated: no run has 1 there and another not.
 */
export function repeatedAxes(from: Shape, to: Shape): { leading: number[]; inner: number[] } {
  const extra = from.length - to.length;
  return {
    leading: Array.from({ length: extra }, (_, axis) => axis),
    inner: to.flatMap((dim, axis) => (dim === 1 && from[axis + extra] !== 1 ? [axis + extra] : [])),
  };
}

/** A non-negative axis. */
export function absoluteAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
