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
      const zero = build.scalar(0);
      let rest = outputGradient(0)!;
      return node.input.map((input, index) => {
        const last = index === node.input.length - 1;
        const chosen = last ? undefined : build.emit('Equal', [input, y]);
        const part = chosen === undefined ? rest : build.emit('Where', [chosen, rest, zero]);
        if (chosen !== undefined) rest = build.emit('Where', [chosen, zero, rest]);
        return wants(index) ? build.sumTo(part, shape(y), shape(input)) : undefined;
      });
    },
  };
}

export const max = extremum('Max');
export const min = extremum('Min');
