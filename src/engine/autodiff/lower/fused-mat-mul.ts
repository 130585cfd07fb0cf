/**
 * com.microsoft.FusedMatMul: alpha * op(A) op(B), where op turns the last two axes if asked to (onnxruntime's
 * contributed operators).
 */
import { floatAttribute, intAttribute } from '../../onnx/graph/attributes.js';
import type { Lowering } from './lowering.js';

export const fusedMatMul: Lowering = {
  operator: 'FusedMatMul',
  lower(context) {
    const { node, input, op, shape } = context;
    const operand = (index: number, letter: 'A' | 'B') => {
      if (intAttribute(node, `transBatch${letter}`, 0) !== 0) context.refuse('it turns its first axes');
      const value = input(index)!;
      const rank = shape(value).length;
      if (intAttribute(node, `trans${letter}`, 0) === 0 || rank < 2) return value;
      const axes = Array.from({ length: rank }, (_, axis) => axis);
      const perm = [...axes.slice(0, -2), rank - 1, rank - 2];
      return op.transpose(value, perm);
    };
    return [op.scale(op.matMul(operand(0, 'A'), operand(1, 'B')), floatAttribute(node, 'alpha', 1))];
  },
};
