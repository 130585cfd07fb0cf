/**
 * Softmax: y = e^x / sum(e^x) along `axis`; dx = y * (dy - sum(dy * y)) with the sum along the axis, of x's shape (ONNX
 * operator specification, Softmax, since opset 13).
 */
import { intAttribute } from '../../onnx/graph/attributes.js';
import type { GradientRule } from '../gradient-rule.js';

export const softmax: GradientRule = {
  operator: 'Softmax',
  gradient({ node, build, outputGradient }) {
    const [y, dy] = [node.output[0]!, outputGradient(0)!];
    const total = build.reduceSum(build.mul(dy, y), [intAttribute(node, 'axis', -1)], true);
    return [build.mul(build.sub(dy, total), y)];
  },
};
