/** Tanh: y = tanh x, dx = dy * (1 - y^2); dx has x's shape (ONNX operator specification, Tanh). */
import type { GradientRule } from '../gradient-rule.js';

export const tanh: GradientRule = {
  operator: 'Tanh',
  gradient({ node, build, outputGradient }) {
    const y = node.output[0]!;
    const dy = outputGradient(0)!;
    return [build.sub(dy, build.mul(build.mul(dy, y), y))];
  },
};
