/**
 * com.microsoft.FastGelu: x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2 of x, or of x + bias (onnxruntime's
 * contributed operators).
 */
import type { Lowering } from './lowering.js';

export const fastGelu: Lowering = {
  operator: 'FastGelu',
  lower({ input, write }) {
    const bias = input(1);
    const x = bias ? write.emit('Add', [input(0)!, bias]) : input(0)!;
    const factor = Math.sqrt(2 / Math.PI);
    const square = write.emit('Mul', [x, x]);
    const slope = write.emit('Add', [
      write.emit('Mul', [square, write.scalar(0.044715 * factor)]),
      write.scalar(factor),
    ]);
    const tanh = write.emit('Tanh', [write.emit('Mul', [x, slope])]);
    const half = write.emit('Mul', [x, write.scalar(0.5)]);
    return [write.emit('Mul', [half, write.emit('Add', [tanh, write.scalar(1)])])];
  },
};
