/** Neg: y = -x, dx = -dy; dx has x's shape (ONNX operator specification, Neg). */
import type { GradientRule } from '../gradient-rule.js';

export const neg: GradientRule = {
  operator: 'Neg',
  gradient({ build, outputGradient }) {
    return [build.neg(outputGradient(0)!)];
  },
};
