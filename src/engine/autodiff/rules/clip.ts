/**
 * Clip: y = min(max(x, low), high); dx = dy where y = x, dlow = the sum of dy where x < low, dhigh = the sum of dy where
 * x > high (ONNX operator specification, Clip, since opset 11; both bounds are scalars and may be missing).
 */
import type { GradientRule } from '../gradient-rule.js';

export const clip: GradientRule = {
  operator: 'Clip',
  gradient({ node, build, outputGradient, wants, shape }) {
    const [x, low, high] = node.input as [string, string | undefined, string | undefined];
    const [y, dy] = [node.output[0]!, outputGradient(0)!];
    const sumWhere = (condition: string) => build.sumTo(build.where(condition, dy, 0), shape(x), []);
    return [
      wants(0) ? build.where(build.equal(x, y), dy, 0) : undefined,
      wants(1) ? sumWhere(build.less(x, low!)) : undefined,
      wants(2) ? sumWhere(build.greater(x, high!)) : undefined,
    ];
  },
};
