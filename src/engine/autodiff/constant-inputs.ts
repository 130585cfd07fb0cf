/** Values of a node's inputs that are known before the run. */
import { tensorToFloat32, tensorToIntegers } from '../onnx/graph/tensor.js';
import type { RuleContext } from './gradient-rule.js';

/** The elements of a constant integer or boolean value, or undefined if it is computed at run time. */
export function constantIntegers(context: RuleContext, value: string): number[] | undefined {
  const tensor = context.constant(value);
  return tensor && tensorToIntegers(tensor, undefined);
}

/** The number that a constant of one element holds, or undefined if it has several or is computed at run time. */
export function constantNumber(context: RuleContext, value: string): number | undefined {
  const tensor = context.constant(value);
  if (!tensor || tensor.dims.some((dim) => dim !== 1n)) return undefined;
  return tensorToFloat32(tensor, undefined)[0];
}
