/** Softplus: y = ln(1 + e^x), dx = dy * sigmoid x; dx has x's shape (ONNX operator specification, Softplus). */
import type { GradientRule } from '../gradient-rule.js';

export const softplus: GradientRule = {
  operator: 'Softplus',
  gradient({ node, build, outputGradient }) {
    return [build.mul(outputGradient(0)!, build.sigmoid(node.input[0]!))];
  },
};
