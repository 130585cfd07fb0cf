/** Linear equations with a symmetric positive definite matrix, in float64 (Cholesky; Golub and Van Loan, Matrix Computations, 4.2). */

/** Rows that are worked on together: the more, the less often the others are read. */
const TILE = 4;

/**
 * Solves A x = b for several b.
 * @param a [n, n], the lower triangle counts; is overwritten
 * @param b [m, n], one right side a row; is overwritten with the solutions
 * @throws RangeError if the matrix is not positive definite
 */
export function solvePositive(a: Float64Array, b: Float64Array, n: number): void {
  const rows = b.length / n;
  // Right sides below the matrix become L^-1 b by the same steps that factor it.
  for (let first = 0; first < n; first += TILE) {
    const count = Math.min(TILE, n - first);
    factorDiagonal(a, n, first, count);
    solveBelow(a, a, n, first, count, first + count, n);
    solveBelow(b, a, n, first, count, 0, rows);
  }
  transposeLower(a, n);
  for (let row = 0; row < rows; row += TILE) solveBackward(a, b, n, row, Math.min(TILE, rows - row));
}

/** L of the block on the diagonal, of which all columns before were taken off. */
function factorDiagonal(a: Float64Array, n: number, first: number, count: number): void {
  for (let i = first; i < first + count; i += 1) {
    for (let j = first; j <= i; j += 1) {
      const rest = a[i * n + j]! - dot(a, i * n, a, j * n, j);
      if (i !== j) a[i * n + j] = rest / a[j * n + j]!;
      else if (rest > 0) a[i * n + i] = Math.sqrt(rest);
      else throw new RangeError('The matrix is not positive definite');
    }
  }
}

/** The block's columns of the rows of `target` from `from` up to `to`. */
function solveBelow(
  target: Float64Array,
  l: Float64Array,
  n: number,
  first: number,
  count: number,
  from: number,
  to: number,
): void {
  const isWhole = count === TILE;
  for (let row = from; row < to; row += 1) {
    const at = row * n;
    if (isWhole) {
      const two = row + 1 < to;
      dotsWithFour(target, at, two ? at + n : at, l, first * n, n, 0, first);
      finishRow(target, at, l, n, first, count, 0);
      if (two) finishRow(target, at + n, l, n, first, count, TILE);
      if (two) row += 1;
    } else {
      for (let j = 0; j < count; j += 1) sums[j] = dot(target, at, l, (first + j) * n, first);
      finishRow(target, at, l, n, first, count, 0);
    }
  }
}

/** Takes off what the columns before have given (in `sums` from a place on), and solves within the block. */
function finishRow(
  target: Float64Array,
  at: number,
  l: Float64Array,
  n: number,
  first: number,
  count: number,
  place: number,
): void {
  for (let j = 0; j < count; j += 1) {
    const diagonal = (first + j) * n + first;
    let rest = target[at + first + j]! - sums[place + j]!;
    for (let k = 0; k < j; k += 1) rest -= target[at + first + k]! * l[diagonal + k]!;
    target[at + first + j] = rest / l[diagonal + j]!;
  }
}

/** L^T x = y for some rows of y, from the last entry on; `u` has L^T in its upper triangle. */
function solveBackward(u: Float64Array, b: Float64Array, n: number, row: number, count: number): void {
  for (let i = n - 1; i >= 0; i -= 1) {
    if (count === TILE) dotsWithFour(u, i * n, i * n, b, row * n, n, i + 1, n);
    for (let r = 0; r < count; r += 1) {
      const at = (row + r) * n;
      const sum = count === TILE ? sums[r]! : dotFrom(b, at, u, i * n, i + 1, n);
      b[at + i] = (b[at + i]! - sum) / u[i * n + i]!;
    }
  }
}

function transposeLower(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i += 1) for (let j = 0; j < i; j += 1) a[j * n + i] = a[i * n + j]!;
}

function dot(a: Float64Array, from: number, b: Float64Array, other: number, length: number): number {
  return dotFrom(a, from, b, other, 0, length);
}

function dotFrom(
  a: Float64Array,
  from: number,
  b: Float64Array,
  other: number,
  start: number,
  end: number,
): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let k = start;
  for (; k + 3 < end; k += 4) {
    s0 += a[from + k]! * b[other + k]!;
    s1 += a[from + k + 1]! * b[other + k + 1]!;
    s2 += a[from + k + 2]! * b[other + k + 2]!;
    s3 += a[from + k + 3]! * b[other + k + 3]!;
  }
  for (; k < end; k += 1) s0 += a[from + k]! * b[other + k]!;
  return s0 + s1 + (s2 + s3);
}

/** Results of the function below. */
const sums = new Float64Array(2 * TILE);

/** Products of two rows with each of four that follow each other, from one column to another. */
function dotsWithFour(
  a: Float64Array,
  one: number,
  other: number,
  b: Float64Array,
  from: number,
  stride: number,
  start: number,
  end: number,
): void {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let t0 = 0;
  let t1 = 0;
  let t2 = 0;
  let t3 = 0;
  const b1 = from + stride;
  const b2 = b1 + stride;
  const b3 = b2 + stride;
  for (let k = start; k < end; k += 1) {
    const x = a[one + k]!;
    const y = a[other + k]!;
    const c0 = b[from + k]!;
    const c1 = b[b1 + k]!;
    const c2 = b[b2 + k]!;
    const c3 = b[b3 + k]!;
    s0 += x * c0;
    s1 += x * c1;
    s2 += x * c2;
    s3 += x * c3;
    t0 += y * c0;
    t1 += y * c1;
    t2 += y * c2;
    t3 += y * c3;
  }
  sums[0] = s0;
  sums[1] = s1;
  sums[2] = s2;
  sums[3] = s3;
  sums[4] = t0;
  sums[5] = t1;
  sums[6] = t2;
  sums[7] = t3;
}
