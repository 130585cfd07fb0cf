/** Declared types and shapes of graph inputs and outputs. */
import { create } from '@bufbuild/protobuf';
import {
  TensorShapeProtoSchema,
  TensorShapeProto_DimensionSchema,
  TypeProtoSchema,
  TypeProto_TensorSchema,
  ValueInfoProtoSchema,
  type ValueInfoProto,
} from '../file/onnx_pb.js';
import type { DataType } from './data-types.js';

/** A number, the name of a free dimension, or undefined where nothing is declared. */
export type DeclaredDim = number | string | undefined;

export function makeValueInfo(
  name: string,
  elementType: DataType,
  dims: readonly DeclaredDim[],
): ValueInfoProto {
  const dim = dims.map((size) =>
    create(TensorShapeProto_DimensionSchema, {
      value:
        typeof size === 'number'
          ? { case: 'dimValue', value: BigInt(size) }
          : typeof size === 'string'
            ? { case: 'dimParam', value: size }
            : { case: undefined },
    }),
  );
  const tensorType = create(TypeProto_TensorSchema, {
    elemType: elementType,
    shape: create(TensorShapeProtoSchema, { dim }),
  });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensorType } }),
  });
}

export function declaredType(value: ValueInfoProto): DataType | undefined {
  return value.type?.value.case === 'tensorType' ? (value.type.value.value.elemType as DataType) : undefined;
}

/** Declares a tensor to be of another type, where it is declared to be of one for which `holds`. */
export function changeDeclaredType(
  value: ValueInfoProto,
  holds: (type: DataType | undefined) => boolean,
  type: DataType,
): void {
  if (value.type?.value.case === 'tensorType' && holds(declaredType(value)))
    value.type.value.value.elemType = type;
}

/** The declared shape, or undefined if none is declared. */
export function declaredDims(value: ValueInfoProto): DeclaredDim[] | undefined {
  if (value.type?.value.case !== 'tensorType') return undefined;
  return value.type.value.value.shape?.dim.map((dim) => {
    if (dim.value.case === 'dimValue') return Number(dim.value.value);
    return dim.value.case === 'dimParam' && dim.value.value !== '' ? dim.value.value : undefined;
  });
}
