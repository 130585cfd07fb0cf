/**
 * com.microsoft.MatMulNBits: y = x W^T + bias, W [N, K] quantised in blocks along K: dx = dy W. Inputs: x, W as
 * [N, blocks, bytes], scales, zero points, g_idx, bias (onnxruntime's contributed operators). W is dequantised for this
 * product alone, by GatherBlockQuantized of all its rows, so only one weight at a time takes four bytes an element.
 */
import type { GradientRule } from '../gradient-rule.js';
import { unpackedWeight } from '../unpacked-weight.js';

export const matMulNBits: GradientRule = {
  operator: 'MatMulNBits',
  domain: 'com.microsoft',
  gradient({ node, build, outputGradient, wants, shape, constant }) {
    const dy = outputGradient(0)!;
    const bias = node.input[5];
    return [
      wants(0) ? build.matMul(dy, unpackedWeight(build, node, constant)) : undefined,
      ...[1, 2, 3, 4].map(() => undefined),
      bias && wants(5) ? build.sumTo(dy, shape(node.output[0]!), shape(bias)) : undefined,
    ];
  },
};
