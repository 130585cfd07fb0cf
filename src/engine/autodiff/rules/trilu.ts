/**
 * Trilu: y = the upper or lower triangle of x from diagonal k on, zero elsewhere; dx = the same triangle of dy (ONNX
 * operator specification, Trilu, since opset 14).
 */
import { intAttribute } from '../../onnx/graph/attributes.js';
import type { GradientRule } from '../gradient-rule.js';

export const trilu: GradientRule = {
  operator: 'Trilu',
  gradient({ node, build, outputGradient }) {
    return [build.trilu(outputGradient(0)!, node.input[1], intAttribute(node, 'upper', 1) !== 0)];
  },
};
