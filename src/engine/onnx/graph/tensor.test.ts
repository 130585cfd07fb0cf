import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { DataType } from './data-types.js';
import { TensorProtoSchema } from '../file/onnx_pb.js';
import {
  floatTensor,
  int64Tensor,
  tensorBytes,
  tensorFromBytes,
  tensorToFloat32,
  tensorToIntegers,
} from './tensor.js';

describe('typed storage', () => {
  const typed = (fields: object) => create(TensorProtoSchema, { name: 'w', dims: [2n], ...fields });

  it('reads the field that belongs to each type', () => {
    expect(tensorToFloat32(typed({ dataType: DataType.FLOAT, floatData: [1.5, -2] }), undefined)).toEqual(
      Float32Array.of(1.5, -2),
    );
    expect(
      tensorToFloat32(typed({ dataType: DataType.FLOAT16, int32Data: [0x3c00, 0xc000] }), undefined),
    ).toEqual(Float32Array.of(1, -2));
    expect(
      tensorToFloat32(typed({ dataType: DataType.BFLOAT16, int32Data: [0x3f80, 0xc000] }), undefined),
    ).toEqual(Float32Array.of(1, -2));
    expect(tensorToIntegers(typed({ dataType: DataType.INT64, int64Data: [3n, -4n] }), undefined)).toEqual([
      3, -4,
    ]);
    expect(tensorToIntegers(typed({ dataType: DataType.INT8, int32Data: [3, -4] }), undefined)).toEqual([
      3, -4,
    ]);
    expect(tensorToIntegers(typed({ dataType: DataType.BOOL, int32Data: [0, 1] }), undefined)).toEqual([
      0, 1,
    ]);
    expect(tensorToFloat32(typed({ dataType: DataType.DOUBLE, doubleData: [0.5, 2] }), undefined)).toEqual(
      Float32Array.of(0.5, 2),
    );
  });
});

describe('four-bit elements', () => {
  it('lie two in a byte, the first in the low half', () => {
    const bytes = Uint8Array.of(0x8f, 0x01);
    expect(tensorToIntegers(tensorFromBytes('w', DataType.UINT4, [3], bytes), undefined)).toEqual([15, 8, 1]);
    expect(tensorToIntegers(tensorFromBytes('w', DataType.INT4, [3], bytes), undefined)).toEqual([-1, -8, 1]);
  });
});

describe('made tensors', () => {
  it('hold what they were given', () => {
    expect(tensorToFloat32(floatTensor('w', [2], [0.5, -3], DataType.FLOAT16), undefined)).toEqual(
      Float32Array.of(0.5, -3),
    );
    expect(tensorToIntegers(int64Tensor('s', [], [7]), undefined)).toEqual([7]);
  });

  it('of the wrong size are refused', () => {
    expect(() => tensorFromBytes('w', DataType.FLOAT, [2], new Uint8Array(4))).toThrow(
      /needs 8 bytes, got 4/,
    );
    const broken = create(TensorProtoSchema, {
      name: 'w',
      dims: [3n],
      dataType: DataType.FLOAT,
      rawData: new Uint8Array(4),
    });
    expect(() => tensorBytes(broken, undefined)).toThrow(/needs 12 bytes but has 4/);
  });
});
