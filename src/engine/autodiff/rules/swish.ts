/** Swish: y = x * s with s = sigmoid(alpha * x), dx = dy * (s + alpha * y * (1 - s)); dx has x's shape (ONNX operator specification, Swish), since opset 24). */
import type { GradientRule } from '../gradient-rule.js';
import { floatAttribute } from '../../onnx/graph/attributes.js';

export const swish: GradientRule = {
  operator: 'Swish',
  gradient({ node, build, outputGradient }) {
    const [x, y] = [node.input[0]!, node.output[0]!];
    const alpha = floatAttribute(node, 'alpha', 1);
    const sigmoid = build.sigmoid(build.scale(x, alpha));
    const slope = build.scale(build.sub(y, build.mul(y, sigmoid)), alpha);
    return [build.mul(outputGradient(0)!, build.add(sigmoid, slope))];
  },
};
