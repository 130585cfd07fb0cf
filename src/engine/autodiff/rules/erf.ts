/** Erf: y = erf x, dx = dy * 2 / sqrt(pi) * e^(-x^2); dx has x's shape (ONNX operator specification, Erf). */
import type { GradientRule } from '../gradient-rule.js';

export const erf: GradientRule = {
  operator: 'Erf',
  gradient({ node, build, outputGradient }) {
    const x = node.input[0]!;
    const bell = build.exp(build.neg(build.mul(x, x)));
    return [build.mul(build.scale(outputGradient(0)!, 2 / Math.sqrt(Math.PI)), bell)];
  },
};
