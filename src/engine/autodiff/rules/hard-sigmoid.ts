/** HardSigmoid: y = min(max(alpha * x + beta, 0), 1), dx = alpha * dy where 0 < y < 1, else 0; dx has x's shape (ONNX operator specification, HardSigmoid). */
import type { GradientRule } from '../gradient-rule.js';
import { floatAttribute } from '../../onnx/graph/attributes.js';

export const hardSigmoid: GradientRule = {
  operator: 'HardSigmoid',
  gradient({ node, build, outputGradient }) {
    const y = node.output[0]!;
    const inside = build.and(build.greater(y, 0), build.less(y, 1));
    const slope = build.scale(outputGradient(0)!, floatAttribute(node, 'alpha', 0.2));
    return [build.where(inside, slope, 0)];
  },
};
