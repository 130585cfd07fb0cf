/** Relu: y = max(x, 0), dx = dy where y > 0, else 0; dx has x's shape (ONNX operator specification, Relu). */
import type { GradientRule } from '../gradient-rule.js';

export const relu: GradientRule = {
  operator: 'Relu',
  gradient({ node, build, outputGradient }) {
    const zero = build.scalar(0);
    const above = build.emit('Greater', [node.output[0]!, zero]);
    return [build.emit('Where', [above, outputGradient(0)!, zero])];
  },
};
