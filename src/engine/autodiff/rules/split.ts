/**
 * Split: the outputs are parts of x along `axis`; dx = their gradients one after another, zeros for outputs that the
 * loss does not depend on (ONNX operator specification, Split; the sizes of the parts do not matter here).
 */
import { intAttribute } from '../../onnx/graph/attributes.js';
import { absoluteAxis } from '../broadcasting.js';
import type { GradientRule } from '../gradient-rule.js';

export const split: GradientRule = {
  operator: 'Split',
  gradient({ node, build, outputGradient, shape }) {
    const axis = absoluteAxis(intAttribute(node, 'axis', 0), shape(node.input[0]!).length);
    const parts = node.output.map((output, index) => outputGradient(index) ?? build.zerosLike(output));
    return [build.concat(parts, axis)];
  },
};
