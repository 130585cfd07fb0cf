/**
 * A matrix out of numbers of a few bits in blocks, by GatherBlockQuantized of all its rows (onnxruntime's contributed
 * operators), which takes four bytes an element only while a product uses it.
 */
import type { Operators } from '../onnx/graph/operators.js';

export interface BlockQuantised {
  /** uint8 [rows, bytes]. */
  packed: string;
  /** [rows, blocks]. */
  scales: string;
  /** Packed as the numbers are; half of the range where there are none. */
  zeroPoints: string | undefined;
  bits: number;
  blockSize: number;
}

/** @returns the matrix [rows, columns] in the type of the scales */
export function dequantisedRows(op: Operators, rows: number, matrix: BlockQuantised): string {
  const { packed, scales, zeroPoints, bits, blockSize } = matrix;
  const all = op.range(op.integer(rows));
  const attributes = { bits, block_size: blockSize, gather_axis: 0, quantize_axis: 1 };
  return op.emit('GatherBlockQuantized', [packed, all, scales, zeroPoints], attributes, 'com.microsoft');
}
