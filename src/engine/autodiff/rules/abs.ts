/** Abs: y = |x|, dx = dy * sign x; dx has x's shape (ONNX operator specification, Abs). */
import type { GradientRule } from '../gradient-rule.js';

export const abs: GradientRule = {
  operator: 'Abs',
  gradient({ node, build, outputGradient }) {
    return [build.mul(outputGradient(0)!, build.sign(node.input[0]!))];
  },
};
