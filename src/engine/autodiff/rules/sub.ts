/** Sub: y = a - b, da = dy and db = -dy, summed to the shapes of a and b (ONNX operator specification, Sub). */
import type { GradientRule } from '../gradient-rule.js';

export const sub: GradientRule = {
  operator: 'Sub',
  gradient({ node, build, outputGradient, wants, shape }) {
    const dy = outputGradient(0)!;
    const [from, a, b] = [node.output[0]!, node.input[0]!, node.input[1]!].map(shape);
    return [
      wants(0) ? build.sumTo(dy, from!, a!) : undefined,
      wants(1) ? build.neg(build.sumTo(dy, from!, b!)) : undefined,
    ];
  },
};
