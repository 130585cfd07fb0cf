/**
 * com.microsoft.MatMulNBits: y = x W^T + bias, W [N, K] quantised in blocks along K: dx = dy W. Inputs: x, W as
 * [N, blocks, bytes], scales, zero points, g_idx, bias (onnxruntime's contributed operators). W is dequantised for this
 * product alone, by GatherBlockQuantized of all its rows, so only one weight at a time takes four bytes an element.
 */
import { intAttribute } from '../../onnx/graph/attributes.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { dequantisedRows } from '../dequantised-rows.js';
import type { GradientRule, RuleContext } from '../gradient-rule.js';
import { unsupported } from '../unsupported.js';

export const matMulNBits: GradientRule = {
  operator: 'MatMulNBits',
  domain: 'com.microsoft',
  gradient(context) {
    const { node, build, outputGradient, wants, shape } = context;
    const dy = outputGradient(0)!;
    const bias = node.input[5];
    return [
      wants(0) ? build.matMul(dy, dequantised(context)) : undefined,
      ...[1, 2, 3, 4].map(() => undefined),
      bias && wants(5) ? build.sumTo(dy, shape(node.output[0]!), shape(bias)) : undefined,
    ];
  },
};

/** W [N, K]. */
function dequantised({ node, build, constant }: RuleContext): string {
  const [, packed, scales, zeroPoints, order] = node.input as [string, string, string, string?, string?];
  if (order) throw unsupported(node, 'its weight has its columns in another order (g_idx)');
  const zeros = zeroPoints ? constant(zeroPoints) : undefined;
  if (zeroPoints && zeros?.dataType !== DataType.UINT8)
    throw unsupported(node, 'the zero points of its weight are not packed integers');
  const [inner, outer] = [intAttribute(node, 'K')!, intAttribute(node, 'N')!];
  const [bits, blockSize] = [intAttribute(node, 'bits', 4), intAttribute(node, 'block_size')!];
  const flat = (value: string) => build.reshape(value, [outer, -1]);
  const whole = dequantisedRows(build, outer, {
    packed: flat(packed),
    scales: flat(scales),
    zeroPoints: zeroPoints && flat(zeroPoints),
    bits,
    blockSize,
  });
  if (inner % blockSize === 0) return whole;
  return build.slice(whole, [0], [inner], [1]);
}
