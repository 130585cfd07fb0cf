/**
 * GatherElements: y[i][j][k] = x[i][index[i][j][k]][k] for axis 1 and so on; dx = dy added up at these places, zero
 * elsewhere, of x's shape (ONNX operator specification, GatherElements; ScatterElements adds since opset 16).
 */
import { intAttribute } from '../../onnx/graph/attributes.js';
import { absoluteAxis } from '../broadcasting.js';
import type { GradientRule } from '../gradient-rule.js';
import { unsupported } from '../unsupported.js';

export const gatherElements: GradientRule = {
  operator: 'GatherElements',
  gradient({ node, build, outputGradient, shape, opset }) {
    const [x, indices] = node.input as [string, string];
    const axis = absoluteAxis(intAttribute(node, 'axis', 0), shape(x).length);
    const updates = outputGradient(0)!;
    if (shape(indices)[axis] === 1) return [build.scatter({ indices, updates, axis }, x)];
    if (opset < 16)
      throw unsupported(node, 'that needs a model of opset 16 or later; export it with a newer opset');
    return [build.scatterElementsAdd(build.zerosLike(x), indices, updates, axis)];
  },
};
