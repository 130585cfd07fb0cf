/** Element types that have gradients. */
import { DataType } from '../onnx/graph/data-types.js';

/** By onnxruntime's names. */
export const FLOAT_TYPES: Record<string, DataType> = {
  float32: DataType.FLOAT,
  float64: DataType.DOUBLE,
  float16: DataType.FLOAT16,
  bfloat16: DataType.BFLOAT16,
};

/** Whether values of onnxruntime's element type can have a gradient. */
export function isDifferentiable(elementType: string): boolean {
  return elementType in FLOAT_TYPES;
}
