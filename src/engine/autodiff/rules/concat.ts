/**
 * Concat: y = the inputs one after another along `axis`; each dx is its part of dy, of its shape (ONNX operator
 * specification, Concat).
 */
import { intAttribute } from '../../onnx/graph/attributes.js';
import { absoluteAxis } from '../broadcasting.js';
import type { GradientRule, RuleContext } from '../gradient-rule.js';

export const concat: GradientRule = {
  operator: 'Concat',
  gradient(context) {
    const { node, build, outputGradient, wants, shape } = context;
    const axis = absoluteAxis(intAttribute(node, 'axis', 0), shape(node.output[0]!).length);
    const sizes = node.input.map((input) => shape(input)[axis]);
    const dy = outputGradient(0)!;
    const alone = sizes.findIndex((size) => size !== 0);
    // An empty cache before the keys and values: nothing to cut off.
    if (sizes.every((size, index) => (size === 0) !== (index === alone))) {
      return node.input.map((input, index) =>
        wants(index) ? (index === alone ? dy : build.zerosLike(input)) : undefined,
      );
    }
    if (node.input.every((_, index) => wants(index)) && sizes.every((size) => size !== undefined)) {
      return build.split(dy, sizes, axis);
    }
    return node.input.map((_, index) => (wants(index) ? partOf(context, dy, axis, index) : undefined));
  },
};

function partOf({ node, build, shape }: RuleContext, dy: string, axis: number, index: number): string {
  const ends = [...node.input.keys()].map((input) => build.dimOf(node.input[input]!, axis));
  const sizes = node.input.map((input) => shape(input)[axis]);
  const before = sizes.slice(0, index);
  const start = before.every((size) => size !== undefined)
    ? build.integers([before.reduce((sum, size) => sum + size, 0)])
    : ends.slice(0, index).reduce((sum, size) => build.add(sum, size));
  const end = index === node.input.length - 1 ? build.integers([2 ** 31]) : build.add(start, ends[index]!);
  return build.slice(dy, start, end, [axis]);
}
