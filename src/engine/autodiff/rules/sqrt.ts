/** Sqrt: y = x^(1/2), dx = dy / (2 y); dx has x's shape (ONNX operator specification, Sqrt). */
import type { GradientRule } from '../gradient-rule.js';

export const sqrt: GradientRule = {
  operator: 'Sqrt',
  gradient({ node, build, outputGradient }) {
    return [build.div(build.scale(outputGradient(0)!, 0.5), node.output[0]!)];
  },
};
