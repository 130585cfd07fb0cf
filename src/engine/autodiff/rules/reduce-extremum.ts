/**
 * ReduceMax and ReduceMin: y = the largest (smallest) x over axes; dx = dy at these places, shared where several are
 * equal, zero elsewhere, of x's shape (ONNX operator specification, ReduceMax and ReduceMin).
 */
import type { GradientRule } from '../gradient-rule.js';
import { reducedAxes, withReducedAxes } from './reductions.js';

function reduceExtremum(operator: string): GradientRule {
  return {
    operator,
    gradient(context) {
      const { node, build, outputGradient, elementType } = context;
      const x = node.input[0]!;
      const axes = reducedAxes(context);
      const [y, dy] = [node.output[0]!, outputGradient(0)!].map((value) =>
        withReducedAxes(context, value, axes),
      );
      const chosen = build.castTo(build.equal(x, y!), elementType(x));
      return [build.mul(chosen, build.div(dy!, build.reduceSum(chosen, axes, true)))];
    },
  };
}

export const reduceMax = reduceExtremum('ReduceMax');
export const reduceMin = reduceExtremum('ReduceMin');
