/** Expand: y = x repeated to a broadcast shape, dx = dy summed to x's shape (ONNX operator specification, Expand). */
import type { GradientRule } from '../gradient-rule.js';

export const expand: GradientRule = {
  operator: 'Expand',
  gradient({ node, build, outputGradient, shape }) {
    return [build.sumTo(outputGradient(0)!, shape(node.output[0]!), shape(node.input[0]!))];
  },
};
