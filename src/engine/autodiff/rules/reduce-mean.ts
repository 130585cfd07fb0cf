/**
 * ReduceMean: y = mean of x over axes, dx = dy / n repeated to x's shape, n being the number of elements in a mean (ONNX
 * operator specification, ReduceMean; axes are an attribute before opset 18 and an input since).
 */
import { sizeOf } from '../broadcasting.js';
import type { GradientRule } from '../gradient-rule.js';
import { reducedAxes, withReducedAxes } from './reductions.js';

export const reduceMean: GradientRule = {
  operator: 'ReduceMean',
  gradient(context) {
    const { node, build, outputGradient, shape } = context;
    const x = node.input[0]!;
    const axes = reducedAxes(context);
    const dy = withReducedAxes(context, outputGradient(0)!, axes);
    const count = sizeOf(axes.map((axis) => shape(x)[axis]));
    if (count !== undefined) return [build.expandLike(build.scale(dy, 1 / count), x)];
    const share = build.div(build.countOf(node.output[0]!), build.countOf(x));
    return [build.expandLike(build.mul(dy, share), x)];
  },
};
