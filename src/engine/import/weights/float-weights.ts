/** Weights that stay floats: in the width that the file has, so that nothing is lost and nothing grows. */
import { DataType, elementBits } from '../../onnx/graph/data-types.js';
import type { ElementType } from '../blocks/element-type.js';
import { dequantise } from '../blocks/dequantise.js';
import { rowChunks, type Matrix } from './matrix.js';
import type { PlannedWeight } from './planned.js';

/** The type in ONNX; float32 for what has none of its own. */
export function floatTypeOf(type: ElementType): DataType {
  if (type.name === 'F16') return DataType.FLOAT16;
  return type.name === 'BF16' ? DataType.BFLOAT16 : DataType.FLOAT;
}

/** [outputs, inputs], as the file has it. */
export function rowsWeight(name: string, matrix: Matrix): PlannedWeight {
  const dataType = floatTypeOf(matrix.type);
  return {
    tensors: [{ name, dataType, dims: [matrix.rows, matrix.columns] }],
    *parts() {
      for (const { bytes } of rowChunks(matrix)) yield [bytesAs(dataType, matrix.type, bytes)];
    },
  };
}

/** [inputs, outputs], as MatMul reads it. The whole matrix is held while it is turned. */
export function transposedWeight(name: string, matrix: Matrix): PlannedWeight {
  const { rows, columns, type } = matrix;
  const dataType = floatTypeOf(type);
  const narrow = elementBits(dataType) === 16;
  return {
    tensors: [{ name, dataType, dims: [columns, rows] }],
    *parts() {
      const target = narrow ? new Uint16Array(rows * columns) : new Uint32Array(rows * columns);
      for (const { first, count, bytes } of rowChunks(matrix)) {
        const source = wordsOf(bytesAs(dataType, type, bytes), narrow);
        transpose(source, count, columns, target, first, rows);
      }
      yield [new Uint8Array(target.buffer)];
    },
  };
}

/** Elements a side of the squares in which is transposed, so that both sides stay in the processor's cache. */
const TILE = 32;

function transpose(
  source: Uint16Array | Uint32Array,
  rows: number,
  columns: number,
  target: Uint16Array | Uint32Array,
  first: number,
  stride: number,
): void {
  for (let top = 0; top < rows; top += TILE) {
    const bottom = Math.min(top + TILE, rows);
    for (let left = 0; left < columns; left += TILE) {
      const right = Math.min(left + TILE, columns);
      for (let column = left; column < right; column += 1) {
        const to = column * stride + first;
        for (let row = top; row < bottom; row += 1) target[to + row] = source[row * columns + column]!;
      }
    }
  }
}

function bytesAs(dataType: DataType, type: ElementType, bytes: Uint8Array): Uint8Array {
  if (dataType !== DataType.FLOAT || type.name === 'F32') return bytes;
  return new Uint8Array(dequantise(type, bytes).buffer);
}

function wordsOf(bytes: Uint8Array, narrow: boolean): Uint16Array | Uint32Array {
  const size = narrow ? 2 : 4;
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return narrow
    ? new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length / size)
    : new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / size);
}
