/** Relu: y = max(x, 0), dx = dy where y > 0, else 0; dx has x's shape (ONNX operator specification, Relu). */
import type { GradientRule } from '../gradient-rule.js';

export const relu: GradientRule = {
  operator: 'Relu',
  gradient({ node, build, outputGradient }) {
    return [build.where(build.greater(node.output[0]!, 0), outputGradient(0)!, 0)];
  },
};
