/** Add: y = a + b, da = dy and db = dy, summed to the shapes of a and b (ONNX operator specification, Add). */
import type { GradientRule } from '../gradient-rule.js';

export const add: GradientRule = {
  operator: 'Add',
  gradient({ node, build, outputGradient, wants, shape }) {
    const from = shape(node.output[0]!);
    return node.input.map((input, index) =>
      wants(index) ? build.sumTo(outputGradient(0)!, from, shape(input)) : undefined,
    );
  },
};
