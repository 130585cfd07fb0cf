/** ReduceSum: y = sum of x over axes, dx = dy repeated to x's shape (ONNX operator specification, ReduceSum). */
import type { GradientRule } from '../gradient-rule.js';
import { reducedAxes, withReducedAxes } from './reductions.js';

export const reduceSum: GradientRule = {
  operator: 'ReduceSum',
  gradient(context) {
    const { node, build, outputGradient } = context;
    const dy = withReducedAxes(context, outputGradient(0)!, reducedAxes(context));
    return [build.expandLike(dy, node.input[0]!)];
  },
};
