/**
 * TopK: the k largest or smallest elements along `axis`, and their places; dx = the gradients of the elements put back at
 * their places, zero elsewhere, of x's shape (ONNX operator specification, TopK).
 */
import { intAttribute } from '../../onnx/graph/attributes.js';
import { absoluteAxis } from '../broadcasting.js';
import type { GradientRule } from '../gradient-rule.js';

export const topK: GradientRule = {
  operator: 'TopK',
  gradient({ node, build, outputGradient, shape }) {
    const x = node.input[0]!;
    const axis = absoluteAxis(intAttribute(node, 'axis', -1), shape(x).length);
    const indices = build.graph.requireOutput(node, 1, `${node.output[0]}/places`);
    return [build.scatter({ indices, updates: outputGradient(0)!, axis }, x)];
  },
};
