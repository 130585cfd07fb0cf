/** Weights in codes, as MatMulNBits and GatherBlockQuantized read them: w = scale * (code - zero point), block by block. */
import { DataType } from '../../onnx/graph/data-types.js';
import type { ElementType } from '../blocks/element-type.js';
import { rowChunks, type Matrix } from './matrix.js';
import type { PlannedTensor, PlannedWeight } from './planned.js';
import { refit } from './refit.js';

/** How a weight is packed. */
export interface Packing {
  bits: 4 | 8;
  block: number;
  /** Whether blocks have zero points of their own; else it is the middle of the codes. */
  hasZeroPoints: boolean;
}

export interface PackedWeight extends Packing {
  weight: PlannedWeight;
  codes: string;
  scales: string;
  zeroPoints?: string;
}

/** How a type is packed: exactly where its blocks are symmetric, in 8 bits and nearly so where they have minima. @returns undefined for floats */
export function packingOf({ coded }: ElementType): Packing | undefined {
  if (!coded) return undefined;
  const { scaleBlock: block, zero, levels } = coded;
  return { bits: zero !== undefined && levels <= 16 ? 4 : 8, block, hasZeroPoints: zero === undefined };
}

/** @throws RangeError if the matrix is not in codes */
export function packedWeight(name: string, matrix: Matrix): PackedWeight {
  const packing = packingOf(matrix.type);
  const coded = matrix.type.coded;
  if (!packing || !coded) throw new RangeError(`${name} is not in codes`);
  const { bits, block, hasZeroPoints } = packing;
  const blocks = matrix.columns / block;
  const codes: PlannedTensor = {
    name: `${name}_Q${bits}`,
    dataType: DataType.UINT8,
    dims: [matrix.rows, blocks, (block * bits) / 8],
  };
  const scales: PlannedTensor = {
    name: `${name}_scales`,
    dataType: DataType.FLOAT,
    dims: [matrix.rows, blocks],
  };
  const zeroPoints: PlannedTensor = {
    name: `${name}_zero_points`,
    dataType: DataType.UINT8,
    dims: [matrix.rows, blocks],
  };
  const middle = 2 ** (bits - 1);
  const weight: PlannedWeight = {
    tensors: hasZeroPoints ? [codes, scales, zeroPoints] : [codes, scales],
    *parts() {
      for (const { bytes } of rowChunks(matrix)) {
        const decoded = coded.decode(bytes);
        const zeros = decoded.minima && refit(decoded, coded.levels);
        if (!zeros) shift(decoded.codes, middle - coded.zero!);
        const packed = [packCodes(decoded.codes, bits), bytesOf(decoded.scales)];
        yield zeros ? [...packed, zeros] : packed;
      }
    },
  };
  return {
    ...packing,
    weight,
    codes: codes.name,
    scales: scales.name,
    zeroPoints: hasZeroPoints ? zeroPoints.name : undefined,
  };
}

function shift(codes: Uint8Array, by: number): void {
  if (by !== 0) for (let i = 0; i < codes.length; i += 1) codes[i]! += by;
}

/** Two codes of 4 bits a byte, the first in the low half. */
export function packCodes(codes: Uint8Array, bits: 4 | 8): Uint8Array {
  if (bits === 8) return codes;
  const packed = new Uint8Array(codes.length / 2);
  for (let i = 0; i < packed.length; i += 1) packed[i] = codes[2 * i]! | (codes[2 * i + 1]! << 4);
  return packed;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
