/** Element types of ONNX tensors: their names, their widths, and conversion of the 16-bit floats. */
import { UserError } from '../../../schema/errors.js';
import { TensorProto_DataType as DataType } from '../file/onnx_pb.js';

export { DataType };

/** Width in bits of one element of each fixed-width type (ONNX specification, TensorProto.DataType). */
const ELEMENT_BITS: Partial<Record<DataType, number>> = {
  [DataType.FLOAT]: 32,
  [DataType.UINT8]: 8,
  [DataType.INT8]: 8,
  [DataType.UINT16]: 16,
  [DataType.INT16]: 16,
  [DataType.INT32]: 32,
  [DataType.INT64]: 64,
  [DataType.BOOL]: 8,
  [DataType.FLOAT16]: 16,
  [DataType.DOUBLE]: 64,
  [DataType.UINT32]: 32,
  [DataType.UINT64]: 64,
  [DataType.COMPLEX64]: 64,
  [DataType.COMPLEX128]: 128,
  [DataType.BFLOAT16]: 16,
  [DataType.FLOAT8E4M3FN]: 8,
  [DataType.FLOAT8E4M3FNUZ]: 8,
  [DataType.FLOAT8E5M2]: 8,
  [DataType.FLOAT8E5M2FNUZ]: 8,
  [DataType.UINT4]: 4,
  [DataType.INT4]: 4,
  [DataType.FLOAT4E2M1]: 4,
  [DataType.FLOAT8E8M0]: 8,
  [DataType.UINT2]: 2,
  [DataType.INT2]: 2,
};

/** The type's name as the ONNX specification writes it, in lower case ('float16'); 'type 99' for an unknown number, 'no type' for none. */
export function dataTypeName(type: DataType): string {
  const name = DataType[type] as string | undefined;
  if (name === undefined) return `type ${type}`;
  if (type === DataType.UNDEFINED) return 'no type';
  return name === 'FLOAT' ? 'float32' : name.toLowerCase();
}

/** Bits of one element. @throws UserError for strings and types that there are not, where a model needs numbers */
export function elementBits(type: DataType): number {
  const bits = ELEMENT_BITS[type];
  if (bits === undefined) {
    throw new UserError(
      `The model has values of ${dataTypeName(type)} where it needs numbers, so its file is broken; export it again.`,
    );
  }
  return bits;
}

/** Bytes that `count` elements take in raw form; types under a byte are packed (ONNX specification, raw_data). */
export function byteLength(type: DataType, count: number): number {
  return Math.ceil((elementBits(type) * count) / 8);
}

export function isFloatingPoint(type: DataType): boolean {
  return (
    type === DataType.FLOAT ||
    type === DataType.FLOAT16 ||
    type === DataType.BFLOAT16 ||
    type === DataType.DOUBLE
  );
}

const scratch = new DataView(new ArrayBuffer(4));

/** IEEE 754 binary16 bits to number. */
export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Number to IEEE 754 binary16 bits, rounded to nearest, ties to even. */
export function numberToFloat16(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal: a multiple of 2^-24. Adding 0.5 makes the float32 adder round to that step.
    scratch.setUint32(0, magnitude);
    scratch.setFloat32(0, scratch.getFloat32(0) + 0.5);
    return sign | (scratch.getUint32(0) - 0x3f000000);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** bfloat16 bits to number. */
export function bfloat16ToNumber(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

/** Number to bfloat16 bits, rounded to nearest, ties to even. */
export function numberToBfloat16(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  if ((bits & 0x7fffffff) > 0x7f800000) return ((bits >>> 16) & 0x8000) | 0x7fc0;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
