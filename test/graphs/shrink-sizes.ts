/**
 * Makes a large exported graph small, for tests: sizes are replaced by smaller ones wherever they stand (weights, declared
 * shapes, integer constants), and weights whose size changes or whose data are missing are filled with seeded random numbers.
 */
import { hashToUnit } from '../../src/engine/data/seeded-random.js';
import { isExternal } from '../../src/engine/onnx/file/external-data.js';
import { DataType, isFloatingPoint } from '../../src/engine/onnx/graph/data-types.js';
import { copyModel, type OnnxModel } from '../../src/engine/onnx/file/model-file.js';
import type { TensorProto, ValueInfoProto } from '../../src/engine/onnx/file/onnx_pb.js';
import {
  elementCount,
  floatTensor,
  int64Tensor,
  tensorDims,
  tensorToIntegers,
} from '../../src/engine/onnx/graph/tensor.js';

/** @param sizes small sizes by the large ones that they replace; they must keep their products (heads times head size) */
export function shrinkSizes(model: OnnxModel, sizes: Readonly<Record<number, number>>): OnnxModel {
  const copy = copyModel(model);
  const small = (size: number) => sizes[size] ?? size;
  copy.graph.initializer = copy.graph.initializer.map((tensor) => shrunk(tensor, small));
  for (const value of [...copy.graph.input, ...copy.graph.output]) shrinkDeclared(value, small);
  copy.graph.valueInfo = [];
  return copy;
}

function shrunk(tensor: TensorProto, small: (size: number) => number): TensorProto {
  const before = tensorDims(tensor);
  if (tensor.dataType === DataType.INT64 && before.length <= 1)
    return int64Tensor(tensor.name, before, tensorToIntegers(tensor, undefined).map(small));
  const dims = before.map(small);
  const isSame = dims.every((dim, axis) => dim === before[axis]);
  if (!isFloatingPoint(tensor.dataType) || (isSame && !isExternal(tensor))) return tensor;
  // Gains and frequencies lie about 1, weights about 0.
  const [centre, spread] = dims.length === 1 ? [1, 0.3] : [0, 1 / Math.sqrt(dims[0]!)];
  const values = Array.from(
    { length: elementCount(dims) },
    (_, index) => centre + spread * (2 * hashToUnit(index, tensor.name) - 1),
  );
  return floatTensor(tensor.name, dims, values, tensor.dataType);
}

function shrinkDeclared(value: ValueInfoProto, small: (size: number) => number): void {
  if (value.type?.value.case !== 'tensorType') return;
  for (const { value: dim } of value.type.value.value.shape?.dim ?? []) {
    if (dim.case === 'dimValue') dim.value = BigInt(small(Number(dim.value)));
  }
}
