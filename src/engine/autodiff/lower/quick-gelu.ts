/** com.microsoft.QuickGelu: x * sigmoid(alpha * x); with alpha = 1 this is SiLU (onnxruntime's contributed operators). */
import { floatAttribute } from '../../onnx/graph/attributes.js';
import type { Lowering } from './lowering.js';

export const quickGelu: Lowering = {
  operator: 'QuickGelu',
  lower({ node, input, op }) {
    const x = input(0)!;
    return [op.mul(x, op.sigmoid(op.scale(x, floatAttribute(node, 'alpha', 1.702))))];
  },
};
