/**
 * Gemm: Y = alpha * A' B' + beta * C with A' = A or A^T, B' = B or B^T, and C broadcast to Y's shape [M, N].
 * dA' = alpha * dY B'^T, dB' = alpha * A'^T dY, and dC = beta * dY summed to C's shape (ONNX operator specification,
 * Gemm).
 */
import { floatAttribute, intAttribute } from '../../onnx/graph/attributes.js';
import type { GradientRule } from '../gradient-rule.js';

export const gemm: GradientRule = {
  operator: 'Gemm',
  gradient({ node, build, outputGradient, wants, shape }) {
    const dy = outputGradient(0)!;
    const [a, b, c] = node.input as [string, string, string | undefined];
    const alpha = floatAttribute(node, 'alpha', 1);
    const transA = intAttribute(node, 'transA', 0) !== 0;
    const transB = intAttribute(node, 'transB', 0) !== 0;
    const product = (left: string, right: string, turnLeft: boolean, turnRight: boolean) =>
      build.gemm(left, right, { alpha, transA: turnLeft, transB: turnRight });
    const byA = () => (transA ? product(b, dy, transB, true) : product(dy, b, false, !transB));
    const byB = () => (transB ? product(dy, a, true, transA) : product(a, dy, !transA, false));
    const byC = () =>
      build.scale(build.sumTo(dy, shape(node.output[0]!), shape(c!)), floatAttribute(node, 'beta', 1));
    return [wants(0) ? byA() : undefined, wants(1) ? byB() : undefined, wants(2) ? byC() : undefined];
  },
};
