/**
 * com.microsoft.Gelu: x * (1 + erf(x / sqrt(2))) / 2; BiasGelu: the same of x + bias (onnxruntime's contributed
 * operators).
 */
import type { Operators } from '../../onnx/graph/operators.js';
import type { Lowering } from './lowering.js';

function geluOf(op: Operators, x: string): string {
  return op.mul(op.mul(x, 0.5), op.add(op.erf(op.mul(x, Math.SQRT1_2)), 1));
}

export const gelu: Lowering = {
  operator: 'Gelu',
  lower: ({ input, op }) => [geluOf(op, input(0)!)],
};

export const biasGelu: Lowering = {
  operator: 'BiasGelu',
  lower: ({ input, op }) => [geluOf(op, op.add(input(0)!, input(1)!))],
};
