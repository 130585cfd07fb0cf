/** Weights of any layout as rows of float32: one row an output channel (or a token), whatever the file has. */
import type { TensorProto } from '../../onnx/file/onnx_pb.js';
import {
  DataType,
  bfloat16ToNumber,
  elementBits,
  float16ToNumber,
  isFloatingPoint,
} from '../../onnx/graph/data-types.js';
import type { Graph } from '../../onnx/graph/graph.js';
import { tensorBytes, tensorDims, tensorToFloat32, tensorToIntegers } from '../../onnx/graph/tensor.js';

/** A constant matrix that a product or the embedding reads. */
export interface RowsOfWeight {
  /** The constant's name. */
  name: string;
  rows: number;
  columns: number;
  /** Bytes that it takes in the file. */
  bytes: number;
  /** Bits of an element; scales not counted. */
  bits: number;
  /** Reads the weight. @throws UserError if its bytes cannot be read */
  open(folder: string | undefined): RowReader;
}

/** Writes the numbers of a row into the target. */
export type RowReader = (row: number, target: Float32Array) => void;

/** @param transposed whether the constant is [columns, rows] */
export function floatRows(tensor: TensorProto, name: string, transposed: boolean): RowsOfWeight | undefined {
  const dims = tensorDims(tensor);
  if (dims.length !== 2 || !isFloatingPoint(tensor.dataType)) return undefined;
  const [rows, columns] = (transposed ? dims.toReversed() : dims) as [number, number];
  const bits = elementBits(tensor.dataType);
  return {
    name,
    rows,
    columns,
    bits,
    bytes: (rows * columns * bits) / 8,
    open(folder) {
      const value = elementsOf(tensor, folder);
      return transposed
        ? (row, target) => {
            for (let column = 0; column < columns; column += 1) target[column] = value(column * rows + row);
          }
        : (row, target) => {
            for (let column = 0; column < columns; column += 1)
              target[column] = value(row * columns + column);
          };
    },
  };
}

/** The elements by their places, without a copy in float32 where they are narrower. */
function elementsOf(tensor: TensorProto, folder: string | undefined): (index: number) => number {
  const convert =
    tensor.dataType === DataType.FLOAT16
      ? float16ToNumber
      : tensor.dataType === DataType.BFLOAT16
        ? bfloat16ToNumber
        : undefined;
  if (!convert) {
    const values = tensorToFloat32(tensor, folder);
    return (index) => values[index]!;
  }
  const bytes = tensorBytes(tensor, folder);
  const table = Float32Array.from({ length: 65_536 }, (_, word) => convert(word));
  return (index) => table[bytes[2 * index]! | (bytes[2 * index + 1]! << 8)]!;
}

/** Codes of 8 bits with their scales, as com.microsoft.MatMulNBits and GatherBlockQuantized read them. */
export interface PackedConstants {
  /** Names of constants; codes are [rows, blocks, block] in any shape. */
  codes: string;
  scales: string;
  zeros: string | undefined;
  rows: number;
  columns: number;
  block: number;
}

/** @returns undefined if they are not constants, or zero points are floats */
export function packedRows(graph: Graph, constants: PackedConstants): RowsOfWeight | undefined {
  const { rows, columns, block } = constants;
  const [codes, scales] = [graph.constant(constants.codes), graph.constant(constants.scales)];
  const zeros = constants.zeros ? graph.constant(constants.zeros) : undefined;
  if (!codes || !scales || rows === 0 || columns === 0 || block === 0) return undefined;
  if (constants.zeros && zeros?.dataType !== DataType.UINT8) return undefined;
  const blocks = Math.ceil(columns / block);
  return {
    name: constants.codes,
    rows,
    columns,
    bits: 8,
    bytes: rows * blocks * (block + elementBits(scales.dataType) / 8),
    open(folder) {
      const bytes = tensorBytes(codes, folder);
      const steps = tensorToFloat32(scales, folder);
      const middles = zeros && tensorToIntegers(zeros, folder);
      const width = bytes.length / rows;
      return (row, target) => {
        for (let column = 0; column < columns; column += 1) {
          const place = row * blocks + Math.floor(column / block);
          target[column] = steps[place]! * (bytes[row * width + column]! - (middles ? middles[place]! : 128));
        }
      };
    },
  };
}
