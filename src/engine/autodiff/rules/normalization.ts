/** What the normalisation rules have in common: axes, means, and the operators' optional outputs. */
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

/** A statistic that the node gives as an optional output: its mean or inverse deviation, in the input's element type. */
export function statistic(context: RuleContext, index: number): string {
  refuseUsedStatistic(context, index);
  const { node, build, elementType } = context;
  const type = elementType(node.input[0]!);
  const name = build.graph.requireOutput(node, index, `${node.output[0]}/statistic`);
  // Statistics are float32 where the values are narrower.
  return type === 'float32' || type === 'float64' ? name : build.castTo(name, type);
}

/** Optional outputs are not differentiated. @throws UserError if the model uses one */
export function refuseUsedStatistic({ node, outputGradient }: RuleContext, index: number): void {
  if (outputGradient(index) !== undefined)
    throw unsupported(node, 'the model uses its mean or deviation elsewhere');
}
