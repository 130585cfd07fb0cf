/**
 * Gemm: Y = alpha * A' B' + beta * C with A' = A or A^T, B' = B or B^T, and C broadcast to Y's shape [M, N].
 * dA' = alpha * dY B'^T, dB' = alpha * A'^T dY, and dC = beta * dY summed to C's shape (ONNX operator specification,
 * Gemm).
 */
import { float, floatAttribute, intAttribute } from '../../onnx/graph/attributes.js';
import type { GradientRule } from '../gradient-rule.js';

export const gemm: GradientRule = {
  operator: 'Gemm',
  gradient({ node, build, outputGradient, wants, shape }) {
    const dy = outputGradient(0)!;
    const [a, b, c] = node.input as [string, string, string | undefined];
    const alpha = float(floatAttribute(node, 'alpha', 1));
    const transA = intAttribute(node, 'transA', 0);
    const transB = intAttribute(node, 'transB', 0);
    const product = (left: string, right: string, transposeLeft: number, transposeRight: number) =>
      build.emit('Gemm', [left, right], { alpha, transA: transposeLeft, transB: transposeRight });
    const byA = () => (transA ? product(b, dy, transB, 1) : product(dy, b, 0, 1 - transB));
    const byB = () => (transB ? product(dy, a, 1, transA) : product(a, dy, 1 - transA, 0));
    const byC = () =>
      build.scale(build.sumTo(dy, shape(node.output[0]!), shape(c!)), floatAttribute(node, 'beta', 1));
    return [wants(0) ? byA() : undefined, wants(1) ? byB() : undefined, wants(2) ? byC() : undefined];
  },
};
