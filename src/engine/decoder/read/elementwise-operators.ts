import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { isRenaming } from './data-flow.js';

/** Operators that make each element of the elements at the same place alone (ONNX and onnxruntime's specifications). */
const ELEMENTWISE_OPERATORS: ReadonlySet<string> = new Set([
  'Abs',
  'Add',
  'BiasGelu',
  'Celu',
  'Clip',
  'Cos',
  'Div',
  'Elu',
  'Erf',
  'Exp',
  'FastGelu',
  'Gelu',
  'HardSigmoid',
  'HardSwish',
  'LeakyRelu',
  'Log',
  'Max',
  'Min',
  'Mish',
  'Mul',
  'Neg',
  'Pow',
  'QuickGelu',
  'Reciprocal',
  'Relu',
  'Selu',
  'Sigmoid',
  'Sin',
  'Softplus',
  'Sqrt',
  'Sub',
  'Swish',
  'Tanh',
  'Where',
]);

/** Cast and the like are among them. */
export function isElementwise(node: NodeProto): boolean {
  return isRenaming(node) || ELEMENTWISE_OPERATORS.has(node.opType);
}
