/** What the normalisation rules have in common: axes, means, and the operators' optional outputs. */
import { floatAttribute } from '../../onnx/graph/attributes.js';
import { absoluteAxis, sizeOf } from '../broadcasting.js';
import type { RuleContext } from '../gradient-rule.js';
import { unsupported } from '../unsupported.js';

/** The axes from `axis` to the last. */
export function normalizedAxes({ node, shape }: RuleContext, axis: number): number[] {
  const rank = shape(node.input[0]!).length;
  const first = absoluteAxis(axis, rank);
  return Array.from({ length: rank - first }, (_, index) => first + index);
}

/** The mean over axes of a value of the input's shape, with ones in their places. */
export function meanOver(
  { node, build, shape }: RuleContext,
  value: string,
  axes: readonly number[],
): string {
  const x = node.input[0]!;
  const total = build.reduceSum(value, axes, true);
  const count = sizeOf(axes.map((axis) => shape(x)[axis]));
  if (count !== undefined) return build.scale(total, 1 / count);
  return build.mul(total, build.div(build.countOf(total), build.countOf(x)));
}

/**
 * Optional outputs, mean and inverse deviation, are not differentiated, and not used either: on WebGPU they are zero
 * (onnxruntime 1.30).
 */
export function refuseUsedStatistics({ node, outputGradient }: RuleContext): void {
  if ([1, 2].some((index) => outputGradient(index) !== undefined))
    throw unsupported(node, 'the model uses its mean or deviation elsewhere');
}

/** 1 / sqrt(mean + epsilon) of squares. */
export function inverseRoot({ node, build }: RuleContext, meanSquare: string): string {
  const epsilon = floatAttribute(node, 'epsilon', 1e-5);
  return build.reciprocal(build.sqrt(build.add(meanSquare, epsilon)));
}
