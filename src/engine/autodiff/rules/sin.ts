/** Sin: y = sin x, dx = dy * cos x; dx has x's shape (ONNX operator specification, Sin). */
import type { GradientRule } from '../gradient-rule.js';

export const sin: GradientRule = {
  operator: 'Sin',
  gradient({ node, build, outputGradient }) {
    return [build.mul(outputGradient(0)!, build.cos(node.input[0]!))];
  },
};
