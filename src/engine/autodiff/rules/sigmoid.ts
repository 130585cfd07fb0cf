/** Sigmoid: y = 1 / (1 + e^-x), dx = dy * y * (1 - y); dx has x's shape (ONNX operator specification, Sigmoid). */
import type { GradientRule } from '../gradient-rule.js';

export const sigmoid: GradientRule = {
  operator: 'Sigmoid',
  gradient({ node, build, outputGradient }) {
    const y = node.output[0]!;
    const scaled = build.mul(outputGradient(0)!, y);
    return [build.sub(scaled, build.mul(scaled, y))];
  },
};
