/** Sum: y = x1 + x2 + ..., each dx = dy, summed to that input's shape (ONNX operator specification, Sum). */
import type { GradientRule } from '../gradient-rule.js';

export const sum: GradientRule = {
  operator: 'Sum',
  gradient({ node, build, outputGradient, wants, shape }) {
    const from = shape(node.output[0]!);
    return node.input.map((input, index) =>
      wants(index) ? build.sumTo(outputGradient(0)!, from, shape(input)) : undefined,
    );
  },
};
