/**
 * The operators as methods, so that what adds nodes reads like its formula. Each adds one node and returns the name of
 * its result (ONNX operator specification, of these operators, in forms that mean the same in opsets 13 to 24).
 */
import { float } from './attributes.js';
import { ElementwiseOperators, type Operand } from './elementwise.js';
import type { NodeInput } from './node-writer.js';

/** The name of an int64 vector, or its elements. */
export type Integers = string | readonly number[];

export class Operators extends ElementwiseOperators {
  // Products and sums over axes.

  matMul(a: string, b: string): string {
    return this.emit('MatMul', [a, b]);
  }

  /** alpha * A' B' with A' = A or its transpose, B' likewise. */
  gemm(a: string, b: string, options: { alpha?: number; transA?: boolean; transB?: boolean } = {}): string {
    const { alpha = 1, transA = false, transB = false } = options;
    return this.emit('Gemm', [a, b], {
      alpha: float(alpha),
      transA: Number(transA),
      transB: Number(transB),
    });
  }

  einsum(equation: string, operands: readonly string[]): string {
    return this.emit('Einsum', operands, { equation });
  }

  softmax(x: string, axis = -1): string {
    return this.emit('Softmax', [x], { axis });
  }

  logSoftmax(x: string, axis = -1): string {
    return this.emit('LogSoftmax', [x], { axis });
  }

  /** @param axes those that are summed over; all if undefined */
  reduceSum(x: string, axes: readonly number[] | undefined, keepDims: boolean): string {
    return this.emit('ReduceSum', [x, axes && this.integers(axes)], { keepdims: Number(keepDims) });
  }

  argMax(x: string, axis: number): string {
    return this.emit('ArgMax', [x], { axis, keepdims: 0 });
  }

  // Shapes.

  /** The shape at run time, int64 [rank]. */
  shape(x: string): string {
    return this.emit('Shape', [x]);
  }

  /** The number of elements at run time, an int64 scalar. */
  size(x: string): string {
    return this.emit('Size', [x]);
  }

  /** @param dims 0 for a dimension that stays, -1 for what is left */
  reshape(x: string, dims: Integers): string {
    return this.emit('Reshape', [x, this.#integersOf(dims)]);
  }

  /** A matrix of what comes before the axis by what follows. */
  flatten(x: string, axis: number): string {
    return this.emit('Flatten', [x], { axis });
  }

  transpose(x: string, perm: readonly number[]): string {
    return this.emit('Transpose', [x], { perm });
  }

  unsqueeze(x: string, axes: readonly number[]): string {
    return axes.length === 0 ? x : this.emit('Unsqueeze', [x, this.integers(axes)]);
  }

  /** @param axes those of size 1 that are left out; all of them if undefined */
  squeeze(x: string, axes?: readonly number[]): string {
    return axes?.length === 0 ? x : this.emit('Squeeze', [x, axes && this.integers(axes)]);
  }

  expand(x: Operand, dims: Integers): string {
    return this.emit('Expand', [this.operand(x), this.#integersOf(dims)]);
  }

  // Parts of values, put together and taken apart.

  concat(parts: readonly string[], axis: number): string {
    return this.emit('Concat', parts, { axis });
  }

  split(x: string, sizes: readonly number[], axis: number): string[] {
    return this.emitSeveral(sizes.length, 'Split', [x, this.integers(sizes)], { axis });
  }

  slice(x: string, starts: Integers, ends: Integers, axes: Integers, steps?: Integers): string {
    const bounds = [starts, ends, axes, ...(steps === undefined ? [] : [steps])];
    return this.emit('Slice', [x, ...bounds.map((bound) => this.#integersOf(bound))]);
  }

  /** Zeros or another number before and after; pads holds the counts before each axis, then those behind each. */
  pad(x: string, pads: Integers, value: Operand): string {
    return this.emit('Pad', [x, this.#integersOf(pads), this.operand(value)]);
  }

  gather(x: string, indices: Integers, axis: number): string {
    return this.emit('Gather', [x, this.#integersOf(indices)], { axis });
  }

  gatherElements(x: string, indices: string, axis: number): string {
    return this.emit('GatherElements', [x, indices], { axis });
  }

  gatherND(x: string, indices: string): string {
    return this.emit('GatherND', [x, indices]);
  }

  scatterElements(x: string, indices: string, updates: string, axis: number): string {
    return this.emit('ScatterElements', [x, indices, updates], { axis });
  }

  /** The elements plus the updates at the indices (since opset 16). */
  scatterElementsAdd(x: string, indices: string, updates: string, axis: number): string {
    return this.emit('ScatterElements', [x, indices, updates], { axis, reduction: 'add' });
  }

  scatterND(x: string, indices: string, updates: string): string {
    return this.emit('ScatterND', [x, indices, updates]);
  }

  /** The entries plus the updates at the indices (since opset 16). */
  scatterNDAdd(x: string, indices: string, updates: string): string {
    return this.emit('ScatterND', [x, indices, updates], { reduction: 'add' });
  }

  /** The largest elements along the axis, and their places. */
  topK(x: string, count: number, axis: number): [values: string, places: string] {
    const [values, places] = this.emitSeveral(2, 'TopK', [x, this.integers([count])], { axis });
    return [values!, places!];
  }

  /** The places of what is not zero, int64 [rank, count]. */
  nonZero(x: string): string {
    return this.emit('NonZero', [x]);
  }

  /** @param values what stands elsewhere and at the index, [2] */
  oneHot(indices: string, depth: string, values: string, axis: number): string {
    return this.emit('OneHot', [indices, depth, values], { axis });
  }

  /** The upper or lower triangle of matrices from a diagonal on (since opset 14). */
  trilu(x: string, diagonal: NodeInput, upper: boolean): string {
    return this.emit('Trilu', [x, diagonal], { upper: Number(upper) });
  }

  /** 0, 1, 2... below the limit, an int64 scalar. */
  range(limit: string): string {
    return this.emit('Range', [this.integer(0), limit, this.integer(1)]);
  }

  dequantizeLinear(x: string, scale: string, zeroPoint: NodeInput, axis: number): string {
    return this.emit('DequantizeLinear', [x, scale, zeroPoint], { axis });
  }

  #integersOf(value: Integers): string {
    return typeof value === 'string' ? value : this.integers(value);
  }
}
