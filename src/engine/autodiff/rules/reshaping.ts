/**
 * Reshape, Flatten, Squeeze and Unsqueeze keep the elements and their order: dx = dy in x's shape (ONNX operator
 * specification, of these operators).
 */
import type { GradientRule } from '../gradient-rule.js';

function reshaping(operator: string): GradientRule {
  return {
    operator,
    gradient({ node, build, outputGradient }) {
      return [build.reshapeLike(outputGradient(0)!, node.input[0]!, node.output[0]!)];
    },
  };
}

export const reshape = reshaping('Reshape');
export const flatten = reshaping('Flatten');
export const squeeze = reshaping('Squeeze');
export const unsqueeze = reshaping('Unsqueeze');
