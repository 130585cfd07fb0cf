/**
 * Cast: y = x in another element type, dx = dy in x's type; only between floating-point types (ONNX operator
 * specification, Cast).
 */
import type { GradientRule } from '../gradient-rule.js';

export const cast: GradientRule = {
  operator: 'Cast',
  gradient({ node, build, outputGradient, elementType }) {
    const [from, to] = [elementType(node.output[0]!), elementType(node.input[0]!)];
    return [from === to ? outputGradient(0)! : build.castTo(outputGradient(0)!, to)];
  },
};
