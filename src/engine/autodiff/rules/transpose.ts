/** Transpose: y = x with axes in the order `perm`, dx = dy with the inverse (ONNX operator specification, Transpose). */
import { intsAttribute } from '../../onnx/graph/attributes.js';
import type { GradientRule } from '../gradient-rule.js';

export const transpose: GradientRule = {
  operator: 'Transpose',
  gradient({ node, build, outputGradient, shape }) {
    const axes = shape(node.input[0]!).map((_, axis) => axis);
    const perm = intsAttribute(node, 'perm') ?? axes.toReversed();
    return [
      build.transpose(
        outputGradient(0)!,
        axes.map((axis) => perm.indexOf(axis)),
      ),
    ];
  },
};
