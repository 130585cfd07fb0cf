/** Reading and making ONNX tensors: typed and raw storage, external data, every element type that models use. */
import { create } from '@bufbuild/protobuf';
import {
  DataType,
  bfloat16ToNumber,
  byteLength,
  dataTypeName,
  float16ToNumber,
  numberToBfloat16,
  numberToFloat16,
} from './data-types.js';
import { isExternal, readExternalBytes } from '../file/external-data.js';
import { TensorProtoSchema } from '../file/onnx_pb.js';
import type { TensorProto } from '../file/onnx_pb.js';
import { UserError } from '../../../schema/errors.js';

export function tensorDims(tensor: TensorProto): number[] {
  return tensor.dims.map(Number);
}

export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** Bytes that the tensor's elements take in raw form, without reading them. */
export function tensorByteLength(tensor: TensorProto): number {
  if (tensor.dataType === DataType.STRING) return tensor.stringData.reduce((sum, s) => sum + s.length, 0);
  return byteLength(tensor.dataType, elementCount(tensorDims(tensor)));
}

/**
 * The tensor's elements in raw little-endian form (ONNX specification, raw_data), wherever they are stored.
 * The result may share memory with the model: do not change it.
 * @param folder the model's folder, needed for external data
 * @throws UserError if the data is missing, has the wrong length or lies outside of the folder
 */
export function tensorBytes(tensor: TensorProto, folder: string | undefined): Uint8Array {
  const expected = tensorByteLength(tensor);
  if (isExternal(tensor)) {
    if (folder === undefined) {
      throw new UserError(
        `Weight '${tensor.name}' is in another file, but the model was not read from a folder.`,
      );
    }
    return readExternalBytes(folder, tensor, expected);
  }
  const bytes = tensor.rawData.length > 0 ? tensor.rawData : packTypedData(tensor);
  if (bytes.length !== expected) {
    throw new UserError(
      `Weight '${tensor.name}' (${dataTypeName(tensor.dataType)} [${tensor.dims.join(', ')}]) needs ${expected} bytes but has ${bytes.length}; the model file is broken or comes without its weights.`,
    );
  }
  return bytes;
}

/** float_data, int32_data and so on, brought into raw form (TensorProto's comments say which field holds which type). */
function packTypedData(tensor: TensorProto): Uint8Array {
  switch (tensor.dataType) {
    case DataType.FLOAT:
    case DataType.COMPLEX64:
      return viewBytes(Float32Array.from(tensor.floatData));
    case DataType.DOUBLE:
    case DataType.COMPLEX128:
      return viewBytes(Float64Array.from(tensor.doubleData));
    case DataType.INT64:
      return viewBytes(BigInt64Array.from(tensor.int64Data));
    case DataType.UINT64:
      return viewBytes(BigUint64Array.from(tensor.uint64Data));
    case DataType.UINT32:
      return viewBytes(Uint32Array.from(tensor.uint64Data, Number));
    case DataType.INT32:
      return viewBytes(Int32Array.from(tensor.int32Data));
    case DataType.INT16:
    case DataType.UINT16:
    case DataType.FLOAT16:
    case DataType.BFLOAT16:
      return viewBytes(Uint16Array.from(tensor.int32Data));
    default:
      // Bytes and the packed types under a byte: each entry holds one byte.
      return Uint8Array.from(tensor.int32Data);
  }
}

function viewBytes(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A copy of the bytes on a boundary that typed arrays accept. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy.buffer;
}

/**
 * The elements of a floating-point tensor (or of an integer one) as float32.
 * @throws UserError as tensorBytes; RangeError for strings and complex numbers
 */
export function tensorToFloat32(tensor: TensorProto, folder: string | undefined): Float32Array {
  const bytes = tensorBytes(tensor, folder);
  switch (tensor.dataType) {
    case DataType.FLOAT:
      return new Float32Array(aligned(bytes));
    case DataType.FLOAT16:
      return Float32Array.from(new Uint16Array(aligned(bytes)), float16ToNumber);
    case DataType.BFLOAT16:
      return Float32Array.from(new Uint16Array(aligned(bytes)), bfloat16ToNumber);
    case DataType.DOUBLE:
      return Float32Array.from(new Float64Array(aligned(bytes)));
    default:
      return Float32Array.from(tensorToIntegers(tensor, folder));
  }
}

/**
 * The elements of an integer or boolean tensor as numbers. Beyond 2^53 they are rounded, as in the 'to the end' of a
 * Slice (INT64_MAX).
 * @throws UserError as tensorBytes; RangeError if the elements are not integers
 */
export function tensorToIntegers(tensor: TensorProto, folder: string | undefined): number[] {
  const bytes = tensorBytes(tensor, folder);
  switch (tensor.dataType) {
    case DataType.INT64:
      return Array.from(new BigInt64Array(aligned(bytes)), Number);
    case DataType.UINT64:
      return Array.from(new BigUint64Array(aligned(bytes)), Number);
    case DataType.INT32:
      return Array.from(new Int32Array(aligned(bytes)));
    case DataType.UINT32:
      return Array.from(new Uint32Array(aligned(bytes)));
    case DataType.INT16:
      return Array.from(new Int16Array(aligned(bytes)));
    case DataType.UINT16:
      return Array.from(new Uint16Array(aligned(bytes)));
    case DataType.INT8:
      return Array.from(new Int8Array(aligned(bytes)));
    case DataType.UINT8:
    case DataType.BOOL:
      return Array.from(bytes);
    case DataType.INT4:
    case DataType.UINT4:
      return unpackNibbles(bytes, elementCount(tensorDims(tensor)), tensor.dataType === DataType.INT4);
    default:
      throw new RangeError(`Tensor '${tensor.name}' holds ${dataTypeName(tensor.dataType)}, not integers`);
  }
}

/** Two elements a byte, the first in the low half (ONNX specification, raw_data of 4-bit types). */
function unpackNibbles(bytes: Uint8Array, count: number, signed: boolean): number[] {
  return Array.from({ length: count }, (_, index) => {
    const nibble = (bytes[index >> 1]! >> ((index & 1) * 4)) & 15;
    return signed && nibble > 7 ? nibble - 16 : nibble;
  });
}

/** A tensor from raw little-endian bytes. @throws RangeError if their number does not fit the shape */
export function tensorFromBytes(
  name: string,
  dataType: DataType,
  dims: readonly number[],
  rawData: Uint8Array,
): TensorProto {
  const expected = byteLength(dataType, elementCount(dims));
  if (rawData.length !== expected) {
    throw new RangeError(
      `Tensor '${name}' [${dims.join(', ')}] needs ${expected} bytes, got ${rawData.length}`,
    );
  }
  return create(TensorProtoSchema, { name, dataType, dims: dims.map(BigInt), rawData });
}

/**
 * A floating-point tensor of the given type, rounded to nearest.
 * @throws RangeError if the type is not a floating-point one or the number of values does not fit the shape
 */
export function floatTensor(
  name: string,
  dims: readonly number[],
  values: ArrayLike<number>,
  dataType: DataType = DataType.FLOAT,
): TensorProto {
  return tensorFromBytes(name, dataType, dims, encodeFloats(values, dataType));
}

function encodeFloats(values: ArrayLike<number>, dataType: DataType): Uint8Array {
  switch (dataType) {
    case DataType.FLOAT:
      return viewBytes(Float32Array.from(values));
    case DataType.FLOAT16:
      return viewBytes(Uint16Array.from(values, numberToFloat16));
    case DataType.BFLOAT16:
      return viewBytes(Uint16Array.from(values, numberToBfloat16));
    case DataType.DOUBLE:
      return viewBytes(Float64Array.from(values));
    default:
      throw new RangeError(`${dataTypeName(dataType)} is not a floating-point type`);
  }
}

/** An int64 tensor; a scalar if dims is empty. */
export function int64Tensor(name: string, dims: readonly number[], values: readonly number[]): TensorProto {
  return tensorFromBytes(name, DataType.INT64, dims, viewBytes(BigInt64Array.from(values, BigInt)));
}
