/** Exp: y = e^x, dx = dy * y; dx has x's shape (ONNX operator specification, Exp). */
import type { GradientRule } from '../gradient-rule.js';

export const exp: GradientRule = {
  operator: 'Exp',
  gradient({ node, build, outputGradient }) {
    return [build.mul(outputGradient(0)!, node.output[0]!)];
  },
};
