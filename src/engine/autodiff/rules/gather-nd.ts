/**
 * GatherND without batch_dims: y[i] = x[index[i]], an index being the leading coordinates of an entry or a row of x;
 * dx = dy added up at these places, zero elsewhere, of x's shape (ONNX operator specification, GatherND; ScatterND adds
 * since opset 16).
 */
import { intAttribute } from '../../onnx/graph/attributes.js';
import type { GradientRule } from '../gradient-rule.js';
import { unsupported } from '../unsupported.js';

export const gatherND: GradientRule = {
  operator: 'GatherND',
  gradient({ node, build, outputGradient, opset }) {
    const [x, indices] = node.input as [string, string];
    if (intAttribute(node, 'batch_dims', 0) !== 0) throw unsupported(node, 'it uses batch_dims');
    if (opset < 16) {
      throw unsupported(node, 'that needs a model of opset 16 or later; export it with a newer opset');
    }
    return [build.scatterNDAdd(build.zerosLike(x), indices, outputGradient(0)!)];
  },
};
