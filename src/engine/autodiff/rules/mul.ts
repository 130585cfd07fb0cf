/**
 * Mul: y = a * b, da = dy * b and db = dy * a, summed to the shapes of a and b (ONNX operator specification, Mul).
 * - By a factor that is one number, or one a row, that sum is a dot product.
 * - Swish, y = x * s with s = sigmoid(x), is differentiated as a whole, which takes fewer passes:
 *   dx = dy * s + (dy - dy * s) * y.
 */
import { sameShape } from '../broadcasting.js';
import type { GradientRule } from '../gradient-rule.js';

export const mul: GradientRule = {
  operator: 'Mul',
  gradient({ node, build, outputGradient, wants, shape }) {
    const dy = outputGradient(0)!;
    const [a, b] = node.input as [string, string];
    const y = node.output[0]!;
    const from = shape(y);
    const isSigmoidOf = (value: string, input: string) => {
      const producer = build.graph.producer(value);
      return producer?.opType === 'Sigmoid' && producer.input[0] === input;
    };
    const swish = (sigmoid: string) => {
      const straight = build.mul(dy, sigmoid);
      return build.add(straight, build.mul(build.sub(dy, straight), y));
    };
    const gradientBy = (factor: string, other: string) =>
      sameShape(shape(other), from)
        ? build.sumProductTo(dy, other, from, shape(factor))
        : build.sumTo(build.mul(dy, other), from, shape(factor));

    if (a === b) return [build.mul(build.scale(dy, 2), a), undefined];
    if (isSigmoidOf(b, a)) return [swish(b), undefined];
    if (isSigmoidOf(a, b)) return [undefined, swish(a)];
    return [wants(0) ? gradientBy(a, b) : undefined, wants(1) ? gradientBy(b, a) : undefined];
  },
};
