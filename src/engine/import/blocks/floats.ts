/** Elements stored as floats of 16, 32 or 64 bits. */
import { bfloat16ToNumber, float16ToNumber } from '../../onnx/graph/data-types.js';
import type { ElementType } from './element-type.js';

export const F32: ElementType = {
  name: 'F32',
  block: 1,
  bytes: 4,
  float: (view, offset) => view.getFloat32(offset, true),
};

export const F64: ElementType = {
  name: 'F64',
  block: 1,
  bytes: 8,
  float: (view, offset) => view.getFloat64(offset, true),
};

export const F16: ElementType = {
  name: 'F16',
  block: 1,
  bytes: 2,
  float: (view, offset) => float16ToNumber(view.getUint16(offset, true)),
};

export const BF16: ElementType = {
  name: 'BF16',
  block: 1,
  bytes: 2,
  float: (view, offset) => bfloat16ToNumber(view.getUint16(offset, true)),
};
