/**
 * LogSoftmax: y = x - ln(sum(e^x)) along `axis`; dx = dy - e^y * sum(dy) with the sum along the axis, of x's shape (ONNX
 * operator specification, LogSoftmax, since opset 13).
 *
 * In a cross-entropy dy has one entry u a token, picked by GatherElements, and is zero elsewhere. Then sum(dy) = u, and
 * -e^y * u needs correction at those entries only, which saves passes over [tokens, vocabulary].
 */
import { intAttribute } from '../../onnx/graph/attributes.js';
import { absoluteAxis } from '../broadcasting.js';
import type { GradientRule } from '../gradient-rule.js';

export const logSoftmax: GradientRule = {
  operator: 'LogSoftmax',
  gradient({ node, build, outputGradient, shape }) {
    const [y, dy] = [node.output[0]!, outputGradient(0)!];
    const axis = absoluteAxis(intAttribute(node, 'axis', -1), shape(y).length);
    const probabilities = build.exp(y);
    const scattered = build.scattered(dy);
    if (scattered?.axis === axis) {
      const { indices, updates } = scattered;
      const rest = build.mul(probabilities, build.neg(updates));
      const picked = build.gatherElements(rest, indices, axis);
      return [build.scatterElements(rest, indices, build.add(picked, updates), axis)];
    }
    return [build.sub(dy, build.mul(probabilities, build.reduceSum(dy, [axis], true)))];
  },
};
