/**
 * ScatterND: y = x with the updates in the place of, or added to, the entries or rows at the indices, an index being the
 * leading coordinates. dupdates = dy at these places; dx = dy, with zeros in the place of replaced entries (ONNX operator
 * specification, ScatterND).
 */
import { stringAttribute } from '../../onnx/graph/attributes.js';
import type { GradientRule } from '../gradient-rule.js';
import { unsupported } from '../unsupported.js';

export const scatterND: GradientRule = {
  operator: 'ScatterND',
  gradient({ node, build, outputGradient, wants }) {
    const [, indices, updates] = node.input as [string, string, string];
    const reduction = stringAttribute(node, 'reduction', 'none');
    if (reduction !== 'none' && reduction !== 'add') throw unsupported(node, `it combines by '${reduction}'`);
    const dy = outputGradient(0)!;
    const byData = () => (reduction === 'add' ? dy : build.scatterND(dy, indices, build.zerosLike(updates)));
    return [wants(0) ? byData() : undefined, undefined, wants(2) ? build.gatherND(dy, indices) : undefined];
  },
};
