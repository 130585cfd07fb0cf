/**
 * com.microsoft.FastGelu: x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2 of x, or of x + bias (onnxruntime's
 * contributed operators).
 */
import type { Lowering } from './lowering.js';

export const fastGelu: Lowering = {
  operator: 'FastGelu',
  lower({ input, op }) {
    const bias = input(1);
    const x = bias ? op.add(input(0)!, bias) : input(0)!;
    const factor = Math.sqrt(2 / Math.PI);
    const tanh = op.tanh(op.mul(x, op.add(op.mul(op.mul(x, x), 0.044715 * factor), factor)));
    return [op.mul(op.mul(x, 0.5), op.add(tanh, 1))];
  },
};
