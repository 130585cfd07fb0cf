/** Float16 scales by their bits: a table, since millions of blocks each have one. */
import { float16ToNumber } from '../../onnx/graph/data-types.js';

let table: Float32Array | undefined;

/** The number that two bytes of a float16 stand for, the low byte first. */
export function half(bytes: Uint8Array, offset: number): number {
  table ??= Float32Array.from({ length: 65_536 }, (_, bits) => float16ToNumber(bits));
  return table[bytes[offset]! | (bytes[offset + 1]! << 8)]!;
}
