/** What is left of a constant when only some channels along one of its axes stay. */
import type { TensorProto } from '../../onnx/file/onnx_pb.js';
import { elementBits } from '../../onnx/graph/data-types.js';
import { elementCount, tensorBytes, tensorDims, tensorFromBytes } from '../../onnx/graph/tensor.js';
import type { AxisConstant } from './product-constants.js';

/**
 * Entries along the axis that hold the kept channels.
 * @param kept ascending; of a block all or none
 */
export function keptEntries({ channels }: AxisConstant, kept: readonly number[]): readonly number[] {
  return channels === 1 ? kept : [...new Set(kept.map((channel) => Math.floor(channel / channels)))];
}

/** The constant's shape with so many entries along the axis. */
export function keptDims(constant: AxisConstant, tensor: TensorProto, entries: number): number[] {
  const { axis, outer } = constant;
  const dims = tensorDims(tensor);
  const elements = rowBitsOf(constant, entries) / elementBits(tensor.dataType);
  if (axis === undefined) return [outer * elements];
  return dims.toSpliced(axis, 1, elements / elementCount(dims.slice(axis + 1)));
}

/**
 * @param entries ascending
 * @throws UserError if the constant's bytes cannot be read
 */
export function keepEntries(
  constant: AxisConstant,
  tensor: TensorProto,
  folder: string | undefined,
  entries: readonly number[],
): TensorProto {
  const source = tensorBytes(tensor, folder);
  const dims = keptDims(constant, tensor, entries.length);
  const { outer, entryBits, rowBits } = constant;
  const keptBits = rowBitsOf(constant, entries.length);
  const bytes = new Uint8Array(Math.ceil((outer * keptBits) / 8));
  const runs = runsOf(entries);
  const isWhole = [entryBits, rowBits, keptBits].every((bits) => bits % 8 === 0);
  const copy = isWhole ? copyBytes : copyParts;
  for (let row = 0; row < outer; row += 1) {
    let to = row * keptBits;
    for (const { first, count } of runs) {
      copy(source, row * rowBits + first * entryBits, bytes, to, count * entryBits);
      to += count * entryBits;
    }
  }
  return tensorFromBytes(tensor.name, tensor.dataType, dims, bytes);
}

/** Bits of a row with so many entries. */
function rowBitsOf({ entryBits, isPadded }: AxisConstant, entries: number): number {
  const bits = entries * entryBits;
  return isPadded ? Math.ceil(bits / 8) * 8 : bits;
}

/** Entries that lie side by side, together. */
function runsOf(entries: readonly number[]): { first: number; count: number }[] {
  const runs: { first: number; count: number }[] = [];
  for (const entry of entries) {
    const run = runs.at(-1);
    if (run && run.first + run.count === entry) run.count += 1;
    else runs.push({ first: entry, count: 1 });
  }
  return runs;
}

/** Places and lengths are in bits, here all multiples of eight. */
type Copy = (source: Uint8Array, from: number, target: Uint8Array, to: number, bits: number) => void;

const copyBytes: Copy = (source, from, target, to, bits) =>
  target.set(source.subarray(from / 8, (from + bits) / 8), to / 8);

/** The narrowest elements that there are. */
const PART = 2;

const copyParts: Copy = (source, from, target, to, bits) => {
  for (let at = 0; at < bits; at += PART) {
    const part = (source[(from + at) >> 3]! >> ((from + at) & 7)) & (2 ** PART - 1);
    target[(to + at) >> 3]! |= part << ((to + at) & 7);
  }
};
