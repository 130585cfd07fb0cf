/** com.microsoft.QuickGelu: x * sigmoid(alpha * x); with alpha = 1 this is SiLU (onnxruntime's contributed operators). */
import { floatAttribute } from '../../onnx/graph/attributes.js';
import type { Lowering } from './lowering.js';

export const quickGelu: Lowering = {
  operator: 'QuickGelu',
  lower({ node, input, write }) {
    const x = input(0)!;
    const alpha = floatAttribute(node, 'alpha', 1.702);
    const inner = alpha === 1 ? x : write.emit('Mul', [x, write.scalar(alpha)]);
    return [write.emit('Mul', [x, write.emit('Sigmoid', [inner])])];
  },
};
