/**
 * Mul: y = a * b, da = dy * b and db = dy * a, summed to the shapes of a and b (ONNX operator specification, Mul).
 * By a factor that is one number, or one a row, that sum is a dot product.
 */
import { sameShape } from '../broadcasting.js';
import type { GradientRule } from '../gradient-rule.js';

export const mul: GradientRule = {
  operator: 'Mul',
  gradient({ node, build, outputGradient, wants, shape }) {
    const dy = outputGradient(0)!;
    const [a, b] = node.input as [string, string];
    const from = shape(node.output[0]!);
    if (a === b) return [build.mul(build.scale(dy, 2), a), undefined];
    const gradientBy = (factor: string, other: string) =>
      sameShape(shape(other), from)
        ? build.sumProductTo(dy, other, from, shape(factor))
        : build.sumTo(build.mul(dy, other), from, shape(factor));
    return [wants(0) ? gradientBy(a, b) : undefined, wants(1) ? gradientBy(b, a) : undefined];
  },
};
