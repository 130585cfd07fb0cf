/** Reciprocal: y = 1 / x, dx = -dy * y^2; dx has x's shape (ONNX operator specification, Reciprocal). */
import type { GradientRule } from '../gradient-rule.js';

export const reciprocal: GradientRule = {
  operator: 'Reciprocal',
  gradient({ node, build, outputGradient }) {
    const y = node.output[0]!;
    return [build.mul(build.mul(build.neg(outputGradient(0)!), y), y)];
  },
};
