/** Identity: y = x, dx = dy (ONNX operator specification, Identity). */
import type { GradientRule } from '../gradient-rule.js';

export const identity: GradientRule = {
  operator: 'Identity',
  gradient({ outputGradient }) {
    return [outputGradient(0)];
  },
};
