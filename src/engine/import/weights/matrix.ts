/** Matrices [outputs, inputs] as files hold them, seen in another order or in part: rows are read when they are needed. */
import type { ElementType } from '../blocks/element-type.js';
import { rowBytes, rowLength, rowsOf, type SourceTensor } from '../formats/source-tensor.js';

export interface Matrix {
  type: ElementType;
  rows: number;
  columns: number;
  /** Bytes of some rows, one after the other. */
  read(first: number, count: number): Uint8Array;
}

/** About how many bytes are read at once. */
const CHUNK = 8 << 20;

export function matrixOf(tensor: SourceTensor): Matrix {
  return {
    type: tensor.type,
    rows: rowsOf(tensor),
    columns: rowLength(tensor),
    read: (first, count) => tensor.readRows(first, count),
  };
}

/** Rows from `first` on. */
export function partOf(matrix: Matrix, first: number, rows: number): Matrix {
  return { ...matrix, rows, read: (from, count) => matrix.read(first + from, count) };
}

/** Rows of each group of `group` brought into another order: row i of the result is row order(i) of the group. */
export function reordered(matrix: Matrix, group: number, order: (row: number) => number): Matrix {
  const each = bytesOfRow(matrix);
  return {
    ...matrix,
    read(first, count) {
      const start = Math.floor(first / group) * group;
      const end = Math.ceil((first + count) / group) * group;
      const source = matrix.read(start, end - start);
      const target = new Uint8Array(count * each);
      for (let row = 0; row < count; row += 1) {
        const place = first + row;
        const from = Math.floor(place / group) * group - start + order(place % group);
        target.set(source.subarray(from * each, (from + 1) * each), row * each);
      }
      return target;
    },
  };
}

/** In a head as llama.cpp writes it, pairs that are turned together lie side by side; here the halves of the head do. */
export function withoutInterleaving(matrix: Matrix, headSize: number): Matrix {
  const half = headSize / 2;
  return reordered(matrix, headSize, (row) => 2 * (row % half) + Math.floor(row / half));
}

/** Matrices of one type and width, one below the other. */
export function joined(parts: readonly [Matrix, ...Matrix[]]): Matrix {
  const each = bytesOfRow(parts[0]);
  return {
    ...parts[0],
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    read(first, count) {
      const target = new Uint8Array(count * each);
      let start = 0;
      for (const part of parts) {
        const from = Math.max(first, start);
        const to = Math.min(first + count, start + part.rows);
        if (from < to) target.set(part.read(from - start, to - from), (from - first) * each);
        start += part.rows;
      }
      return target;
    },
  };
}

/** A matrix of floats with rows and columns changed; it is read as a whole for each part. */
export function transposed(matrix: Matrix): Matrix {
  const { rows, columns, type } = matrix;
  const size = type.bytes;
  return {
    type,
    rows: columns,
    columns: rows,
    read(first, count) {
      const source = matrix.read(0, rows);
      const target = new Uint8Array(count * rows * size);
      for (let row = 0; row < count; row += 1) {
        for (let column = 0; column < rows; column += 1) {
          const from = (column * columns + first + row) * size;
          const to = (row * rows + column) * size;
          for (let byte = 0; byte < size; byte += 1) target[to + byte] = source[from + byte]!;
        }
      }
      return target;
    },
  };
}

/**
 * Codes whose blocks of 32 count as two of 16 with the same scale. The values are the same; onnxruntime rounds the
 * activations of a product in the blocks of its weight, and those of queries, keys and values bear that least
 * (docs/decisions/030-minima-of-blocks.md).
 */
export function inHalfBlocks(matrix: Matrix): Matrix {
  const { coded } = matrix.type;
  if (coded?.scaleBlock !== 32) return matrix;
  const decode = (bytes: Uint8Array) => {
    const { codes, scales, minima } = coded.decode(bytes);
    return { block: 16, codes, scales: twice(scales), ...(minima && { minima: twice(minima) }) };
  };
  return { ...matrix, type: { ...matrix.type, coded: { ...coded, scaleBlock: 16, decode } } };
}

function twice(values: Float32Array): Float32Array {
  return Float32Array.from({ length: 2 * values.length }, (_, index) => values[index >> 1]!);
}

/** Some rows at a time, from the first to the last. */
export function* rowChunks(matrix: Matrix): Generator<{ first: number; count: number; bytes: Uint8Array }> {
  const atOnce = Math.max(1, Math.floor(CHUNK / bytesOfRow(matrix)));
  for (let first = 0; first < matrix.rows; first += atOnce) {
    const count = Math.min(atOnce, matrix.rows - first);
    yield { first, count, bytes: matrix.read(first, count) };
  }
}

function bytesOfRow({ type, columns }: Matrix): number {
  return rowBytes({ type, dims: [columns] });
}
