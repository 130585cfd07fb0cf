/**
 * ScatterElements: y = x with the updates in the place of, or added to, the elements at the indices along `axis`.
 * dupdates = dy at these places; dx = dy, with zeros at the places of replaced elements (ONNX operator specification,
 * ScatterElements).
 */
import { intAttribute, stringAttribute } from '../../onnx/graph/attributes.js';
import type { GradientRule } from '../gradient-rule.js';
import { unsupported } from '../unsupported.js';

export const scatterElements: GradientRule = {
  operator: 'ScatterElements',
  gradient({ node, build, outputGradient, wants }) {
    const [, indices, updates] = node.input as [string, string, string];
    const axis = intAttribute(node, 'axis', 0);
    const reduction = stringAttribute(node, 'reduction', 'none');
    if (reduction !== 'none' && reduction !== 'add') throw unsupported(node, `it combines by '${reduction}'`);
    const dy = outputGradient(0)!;
    const byData = () =>
      reduction === 'add' ? dy : build.scatterElements(dy, indices, build.zerosLike(updates), axis);
    return [
      wants(0) ? byData() : undefined,
      undefined,
      wants(2) ? build.gatherElements(dy, indices, axis) : undefined,
    ];
  },
};
