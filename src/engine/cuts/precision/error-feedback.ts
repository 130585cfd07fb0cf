/**
 * Rounding one input after another, where each rounding's error is made up for by the weights that are not rounded yet, as
 * far as the inputs go together (Frantar et al., GPTQ, 2022): with H the mean of x x' and H^-1 = U' U, U upper triangular,
 * an error e at input j is made up for by - e U[j, k] / U[j, j] at the inputs k > j.
 */
import type { Multiplier } from './multiplier.js';
import type { Sensitivity } from './sensitivities.js';

/** What errors are made up for with, for weights in blocks. */
export interface Feedback {
  columns: number;
  /** Inputs of which each group makes up for its own errors alone. */
  group: number;
  /**
   * Of each block [inputs of its group before it and in it, block]: the share U[j, k] / U[j, j] of input k of the block in an
   * error at input j; 0 up to j.
   */
  shares: readonly Float32Array[];
  /** [columns]: 1 / U[j, j]², what an error at input j costs after all is made up for that can be. */
  costs: Float32Array;
}

/** Part of the mean diagonal that is added to it: rows are few, and inputs may never have been other than 0. */
const DAMPING = 0.01;

/** @param block weights a scale: a group is some whole blocks, or all columns */
export async function feedbackOf(
  { columns, group, moments }: Sensitivity,
  block: number,
  multiplier: Pick<Multiplier, 'multiplyDoubles'>,
): Promise<Feedback> {
  const shares: Float32Array[] = [];
  const costs = new Float32Array(columns);
  for (let first = 0; first < columns; first += group) {
    const matrix = dampened(moments.subarray(first * group, (first + group) * group), group);
    const inverse = await invertedFactor(matrix, group, multiplier);
    for (let j = 0; j < group; j += 1) costs[first + j] = 1 / inverse[j * group + j]! ** 2;
    for (let start = 0; start < group; start += block) shares.push(sharesOf(inverse, group, start, block));
  }
  return { columns, group, shares, costs };
}

function sharesOf(inverse: Float64Array, group: number, start: number, block: number): Float32Array {
  const end = Math.min(start + block, group);
  const shares = new Float32Array(end * block);
  for (let j = 0; j < end; j += 1) {
    const own = inverse[j * group + j]!;
    for (let k = Math.max(start, j + 1); k < end; k += 1)
      shares[j * block + k - start] = inverse[j * group + k]! / own;
  }
  return shares;
}

function dampened(moments: Float32Array, size: number): Float64Array {
  const matrix = Float64Array.from(moments);
  let trace = 0;
  for (let i = 0; i < size; i += 1) trace += matrix[i * size + i]!;
  const damping = (DAMPING * trace) / size || 1;
  for (let i = 0; i < size; i += 1) matrix[i * size + i]! += damping;
  return matrix;
}

/** Matrices up to this size are inverted by loops; of larger ones most of the work is in products. */
const LARGEST_LOOP = 64;

/**
 * U of H^-1 = U' U, upper triangular: the inverse of R in H = R R'. By halves: of H = [A B; B' C] and R = [P S; 0 Q],
 * S' = Q^-1 B', P P' = A - S S', and the upper right of the inverse is -P^-1 S Q^-1.
 * @param matrix [size, size], symmetric positive definite; may be changed
 */
async function invertedFactor(
  matrix: Float64Array,
  size: number,
  multiplier: Pick<Multiplier, 'multiplyDoubles'>,
): Promise<Float64Array> {
  if (size <= LARGEST_LOOP) return invertedByLoops(matrix, size);
  const [upper, lower] = [size >> 1, size - (size >> 1)];
  const q = await invertedFactor(part(matrix, size, [upper, size], [upper, size]), lower, multiplier);
  const below = part(matrix, size, [upper, size], [0, upper]);
  const s = await multiplier.multiplyDoubles(transposed(q, lower), below, lower);
  const rest = part(matrix, size, [0, upper], [0, upper]);
  const square = await multiplier.multiplyDoubles(s, s, lower);
  for (let index = 0; index < rest.length; index += 1) rest[index]! -= square[index]!;
  const p = await invertedFactor(rest, upper, multiplier);
  const right = await multiplier.multiplyDoubles(
    transposed(p, upper),
    await multiplier.multiplyDoubles(s, q, lower),
    upper,
  );
  const inverse = new Float64Array(size * size);
  for (let row = 0; row < upper; row += 1) {
    inverse.set(p.subarray(row * upper, (row + 1) * upper), row * size);
    for (let column = 0; column < lower; column += 1)
      inverse[row * size + upper + column] = -right[row * lower + column]!;
  }
  for (let row = 0; row < lower; row += 1)
    inverse.set(q.subarray(row * lower, (row + 1) * lower), (upper + row) * size + upper);
  return inverse;
}

function part(
  matrix: Float64Array,
  size: number,
  [firstRow, endRow]: readonly [number, number],
  [firstColumn, endColumn]: readonly [number, number],
): Float64Array {
  const width = endColumn - firstColumn;
  const result = new Float64Array((endRow - firstRow) * width);
  for (let row = firstRow; row < endRow; row += 1)
    result.set(matrix.subarray(row * size + firstColumn, row * size + endColumn), (row - firstRow) * width);
  return result;
}

function transposed(matrix: Float64Array, size: number): Float64Array {
  const result = new Float64Array(matrix.length);
  for (let row = 0; row < size; row += 1)
    for (let column = 0; column < size; column += 1)
      result[column * size + row] = matrix[row * size + column]!;
  return result;
}

/** The same by loops. Changes the matrix. */
function invertedByLoops(matrix: Float64Array, size: number): Float64Array {
  factor(matrix, size);
  const inverse = new Float64Array(size * size);
  for (let i = size - 1; i >= 0; i -= 1) {
    const row = i * size;
    for (let k = i + 1; k < size; k += 1) {
      const share = matrix[row + k]!;
      const other = k * size;
      for (let j = k; j < size; j += 1) inverse[row + j]! -= share * inverse[other + j]!;
    }
    const own = matrix[row + i]!;
    for (let j = i + 1; j < size; j += 1) inverse[row + j]! /= own;
    inverse[row + i] = 1 / own;
  }
  return inverse;
}

/** In place: R of H = R R', upper triangular. */
function factor(matrix: Float64Array, size: number): void {
  for (let j = size - 1; j >= 0; j -= 1) {
    const row = j * size;
    let own = matrix[row + j]!;
    for (let k = j + 1; k < size; k += 1) own -= matrix[row + k]! ** 2;
    const root = Math.sqrt(Math.max(own, Number.MIN_VALUE));
    matrix[row + j] = root;
    for (let i = 0; i < j; i += 1) {
      const other = i * size;
      let sum = matrix[other + j]!;
      for (let k = j + 1; k < size; k += 1) sum -= matrix[other + k]! * matrix[row + k]!;
      matrix[other + j] = sum / root;
    }
  }
}
