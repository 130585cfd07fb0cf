/** What the reductions (ReduceSum, ReduceMean, ReduceMax, ReduceMin) have in common: their axes. */
import { intAttribute, intsAttribute } from '../../onnx/graph/attributes.js';
import { absoluteAxis } from '../broadcasting.js';
import { constantIntegers } from '../constant-inputs.js';
import type { RuleContext } from '../gradient-rule.js';
import { unsupported } from '../unsupported.js';

/**
 * The axes over which the node reduces, from the attribute of earlier opsets or the second input of later ones.
 * @throws UserError if they are computed at run time
 */
export function reducedAxes(context: RuleContext): number[] {
  const { node, shape } = context;
  const rank = shape(node.input[0]!).length;
  const all = Array.from({ length: rank }, (_, axis) => axis);
  let axes = intsAttribute(node, 'axes');
  if (node.input[1]) {
    axes = constantIntegers(context, node.input[1]);
    if (!axes) throw unsupported(node, 'its axes are computed at run time');
  }
  if (!axes || axes.length === 0) return intAttribute(node, 'noop_with_empty_axes', 0) === 1 ? [] : all;
  return axes.map((axis) => absoluteAxis(axis, rank)).toSorted((a, b) => a - b);
}

/**
 * A value of the node's output shape (the output or its gradient) with the reduced axes kept as ones. Ones before all
 * other axes are left to broadcasting.
 */
export function withReducedAxes(
  { node, build }: RuleContext,
  value: string,
  axes: readonly number[],
): string {
  const leading = axes.every((axis, index) => axis === index);
  return leading || intAttribute(node, 'keepdims', 1) === 1 ? value : build.unsqueeze(value, axes);
}
