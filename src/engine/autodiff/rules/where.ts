/**
 * Where: y = condition ? a : b, da = dy where the condition holds and else 0, db the other way round, summed to the
 * shapes of a and b (ONNX operator specification, Where).
 */
import type { GradientRule } from '../gradient-rule.js';

export const where: GradientRule = {
  operator: 'Where',
  gradient({ node, build, outputGradient, wants, shape }) {
    const dy = outputGradient(0)!;
    const [condition, a, b] = node.input as [string, string, string];
    const from = shape(node.output[0]!);
    return [
      undefined,
      wants(1) ? build.sumTo(build.where(condition, dy, 0), from, shape(a)) : undefined,
      wants(2) ? build.sumTo(build.where(condition, 0, dy), from, shape(b)) : undefined,
    ];
  },
};
