/** Log: y = ln x, dx = dy / x; dx has x's shape (ONNX operator specification, Log). */
import type { GradientRule } from '../gradient-rule.js';

export const log: GradientRule = {
  operator: 'Log',
  gradient({ node, build, outputGradient }) {
    return [build.div(outputGradient(0)!, node.input[0]!)];
  },
};
