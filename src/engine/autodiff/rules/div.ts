/**
 * Div: y = a / b, da = dy / b and db = -dy * y / b, summed to the shapes of a and b (ONNX operator specification, Div).
 * The division of db comes after the sum, where b has its own size.
 */
import type { GradientRule } from '../gradient-rule.js';

export const div: GradientRule = {
  operator: 'Div',
  gradient({ node, build, outputGradient, wants, shape }) {
    const dy = outputGradient(0)!;
    const [a, b] = node.input as [string, string];
    const y = node.output[0]!;
    const from = shape(y);
    return [
      wants(0) ? build.sumTo(build.div(dy, b), from, shape(a)) : undefined,
      wants(1) ? build.neg(build.div(build.sumProductTo(dy, y, from, shape(b)), b)) : undefined,
    ];
  },
};
