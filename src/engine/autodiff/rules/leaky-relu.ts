/** LeakyRelu: y = x where x >= 0, else alpha * x; dx = dy, or alpha * dy; dx has x's shape (ONNX operator specification, LeakyRelu). */
import type { GradientRule } from '../gradient-rule.js';
import { floatAttribute } from '../../onnx/graph/attributes.js';

export const leakyRelu: GradientRule = {
  operator: 'LeakyRelu',
  gradient({ node, build, outputGradient }) {
    const dy = outputGradient(0)!;
    const below = build.less(node.input[0]!, 0);
    return [build.where(below, build.scale(dy, floatAttribute(node, 'alpha', 0.01)), dy)];
  },
};
