/**
 * Max and Min: y = the largest (smallest) of the inputs; dx = dy where y is that input, 0 elsewhere, summed to its shape;
 * of equal inputs the first gets it (ONNX operator specification, Max and Min).
 */
import type { GradientRule } from '../gradient-rule.js';

function extremum(operator: string): GradientRule {
  return {
    operator,
    gradient({ node, build, outputGradient, wants, shape }) {
      const y = node.output[0]!;
      let rest = outputGradient(0)!;
      return node.input.map((input, index) => {
        const last = index === node.input.length - 1;
        const chosen = last ? undefined : build.equal(input, y);
        const part = chosen === undefined ? rest : build.where(chosen, rest, 0);
        if (chosen !== undefined) rest = build.where(chosen, 0, rest);
        return wants(index) ? build.sumTo(part, shape(y), shape(input)) : undefined;
      });
    },
  };
}

export const max = extremum('Max');
export const min = extremum('Min');
