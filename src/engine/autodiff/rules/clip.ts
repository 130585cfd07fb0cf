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
    const zero = build.scalar(0);
    const where = (comparison: string, bound: string) =>
      build.emit('Where', [build.emit(comparison, [x, bound]), dy, zero]);
    return [
      wants(0) ? where('Equal', y) : undefined,
      wants(1) ? build.sumTo(where('Less', low!), shape(x), []) : undefined,
      wants(2) ? build.sumTo(where('Greater', high!), shape(x), []) : undefined,
    ];
  },
};
