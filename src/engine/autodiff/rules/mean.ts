/** Mean: y = (x1 + ... + xn) / n, each dx = dy / n, summed to that input's shape (ONNX operator specification, Mean). */
import type { GradientRule } from '../gradient-rule.js';

export const mean: GradientRule = {
  operator: 'Mean',
  gradient({ node, build, outputGradient, wants, shape }) {
    const from = shape(node.output[0]!);
    const share = build.scale(outputGradient(0)!, 1 / node.input.length);
    return node.input.map((input, index) =>
      wants(index) ? build.sumTo(share, from, shape(input)) : undefined,
    );
  },
};
