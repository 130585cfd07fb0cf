/** Cos: y = cos x, dx = -dy * sin x; dx has x's shape (ONNX operator specification, Cos). */
import type { GradientRule } from '../gradient-rule.js';

export const cos: GradientRule = {
  operator: 'Cos',
  gradient({ node, build, outputGradient }) {
    return [build.mul(build.neg(outputGradient(0)!), build.sin(node.input[0]!))];
  },
};
