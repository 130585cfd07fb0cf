/**
 * com.microsoft.Gelu: x * (1 + erf(x / sqrt(2))) / 2; BiasGelu: the same of x + bias (onnxruntime's contributed
 * operators).
 */
import type { Lowering, LoweringContext } from './lowering.js';

function geluOf({ write }: LoweringContext, x: string): string {
  const erf = write.emit('Erf', [write.emit('Mul', [x, write.scalar(Math.SQRT1_2)])]);
  const half = write.emit('Mul', [x, write.scalar(0.5)]);
  return write.emit('Mul', [half, write.emit('Add', [erf, write.scalar(1)])]);
}

export const gelu: Lowering = {
  operator: 'Gelu',
  lower: (context) => [geluOf(context, context.input(0)!)],
};

export const biasGelu: Lowering = {
  operator: 'BiasGelu',
  lower(context) {
    const { input, write } = context;
    return [geluOf(context, write.emit('Add', [input(0)!, input(1)!]))];
  },
};
