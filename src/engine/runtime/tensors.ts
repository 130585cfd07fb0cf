/** Tensors that go into and come out of onnxruntime sessions. */
import { ort, type Tensor } from './onnxruntime.js';
import { float16ToNumber } from '../onnx/graph/data-types.js';

export type RuntimeTensor = Tensor;

/** @param dims must multiply to the number of values */
export function float32Tensor(
  values: Float32Array | readonly number[],
  dims: readonly number[],
): RuntimeTensor {
  return new ort.Tensor('float32', values instanceof Float32Array ? values : Float32Array.from(values), dims);
}

/** @param dims must multiply to the number of values */
export function float64Tensor(
  values: Float64Array | readonly number[],
  dims: readonly number[],
): RuntimeTensor {
  return new ort.Tensor('float64', values instanceof Float64Array ? values : Float64Array.from(values), dims);
}

/** @param dims must multiply to the number of values; a scalar if empty */
export function int64Tensor(values: ArrayLike<number>, dims: readonly number[]): RuntimeTensor {
  return new ort.Tensor('int64', BigInt64Array.from(values, BigInt), dims);
}

/** @param dims must multiply to the number of values */
export function int32Tensor(values: readonly number[], dims: readonly number[]): RuntimeTensor {
  return new ort.Tensor('int32', Int32Array.from(values), dims);
}

export function boolTensor(values: readonly boolean[], dims: readonly number[]): RuntimeTensor {
  return new ort.Tensor('bool', Uint8Array.from(values, Number), dims);
}

/** A tensor of zeros of an onnxruntime element type ('float32', 'float16', 'int64'...); dims may hold 0. */
export function zerosTensor(type: RuntimeTensor['type'], dims: readonly number[]): RuntimeTensor {
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (type === 'float16') return new ort.Tensor('float16', new Uint16Array(count), dims);
  if (type === 'int64') return new ort.Tensor('int64', new BigInt64Array(count), dims);
  if (type === 'int32') return new ort.Tensor('int32', new Int32Array(count), dims);
  return new ort.Tensor('float32', new Float32Array(count), dims);
}

/** The values of a float32 tensor. @throws RangeError for another element type */
export function float32Values(tensor: RuntimeTensor): Float32Array {
  if (tensor.type !== 'float32') throw new RangeError(`A float32 tensor is expected, not ${tensor.type}`);
  return tensor.data as Float32Array;
}

/** The values of a float32 or float16 tensor as float32. @throws RangeError for another element type */
export function logitsValues(tensor: RuntimeTensor): Float32Array {
  if (tensor.type !== 'float16') return float32Values(tensor);
  return Float32Array.from(float16Bits(tensor), float16ToNumber);
}

/** The bits of a float16 tensor, whose data are a Uint16Array or, where the engine has it, a Float16Array. */
export function float16Bits(tensor: RuntimeTensor): Uint16Array {
  const data = tensor.data as ArrayBufferView;
  return new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
}

/**
 * A tensor of the given indices along one axis.
 * @param into of the shape that this has: what it is written into; a new one by default
 */
export function selectAxis(
  tensor: RuntimeTensor,
  axis: number,
  indices: readonly number[],
  into?: RuntimeTensor,
): RuntimeTensor {
  const before = tensor.dims.slice(0, axis).reduce((product, dim) => product * dim, 1);
  const inner = tensor.dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const extent = tensor.dims[axis]!;
  const source = tensor.data as Float32Array;
  const target =
    (into?.data as Float32Array | undefined) ??
    new (source.constructor as Float32ArrayConstructor)(before * indices.length * inner);
  for (let outer = 0; outer < before; outer += 1) {
    indices.forEach((index, place) => {
      const start = (outer * extent + index) * inner;
      target.set(source.subarray(start, start + inner), (outer * indices.length + place) * inner);
    });
  }
  if (into) return into;
  const dims = [...tensor.dims.slice(0, axis), indices.length, ...tensor.dims.slice(axis + 1)];
  return new ort.Tensor(tensor.type as 'float32', target, dims);
}

/** Entries of the first axis, which share the tensor's memory. */
export function sliceTensor(tensor: RuntimeTensor, start: number, end: number): RuntimeTensor {
  const [count = 1, ...inner] = tensor.dims;
  const data = tensor.data as Float32Array;
  const width = data.length / count;
  return new ort.Tensor(tensor.type as 'float32', data.subarray(start * width, end * width), [
    end - start,
    ...inner,
  ]);
}

/** Tensors put one behind the other along an axis before which all have 1. */
export function joinTensors(parts: readonly RuntimeTensor[], axis: number): RuntimeTensor {
  const [first] = parts;
  const size = parts.reduce((sum, { data }) => sum + data.length, 0);
  const data = new (first!.data.constructor as Float32ArrayConstructor)(size);
  let offset = 0;
  for (const part of parts) {
    data.set(part.data as Float32Array, offset);
    offset += part.data.length;
  }
  const count = parts.reduce((sum, { dims }) => sum + dims[axis]!, 0);
  return new ort.Tensor(first!.type as 'float32', data, first!.dims.toSpliced(axis, 1, count));
}
