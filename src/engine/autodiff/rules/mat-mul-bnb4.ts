/**
 * com.microsoft.MatMulBnb4: y = x W^T, W [N, K] in four bits, each the place of a number in a table, times one factor a
 * block: dx = dy W. Inputs: x, W packed two to a byte row by row, the first in the high half, and the factors (onnxruntime's
 * contributed operators; the tables of bitsandbytes, arXiv 2305.14314). W is dequantised for this product alone.
 */
import { intAttribute } from '../../onnx/graph/attributes.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { tensorFromBytes } from '../../onnx/graph/tensor.js';
import { FLOAT_TYPES } from '../float-types.js';
import type { GradientRule, RuleContext } from '../gradient-rule.js';
import { unsupported } from '../unsupported.js';

/** Four-bit floats: a sign, and these. */
const FP4_MAGNITUDES = [0, 0.005208333333333333, 2 / 3, 1, 1 / 3, 1 / 2, 1 / 6, 1 / 4];
const FP4 = [...FP4_MAGNITUDES, ...FP4_MAGNITUDES.map((value) => -value)];

/** The quantiles of a normal distribution. */
const NF4 = [
  -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
  -0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725,
  0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
];

export const matMulBnb4: GradientRule = {
  operator: 'MatMulBnb4',
  domain: 'com.microsoft',
  gradient(context) {
    const { build, outputGradient, wants } = context;
    return [
      wants(0) ? build.matMul(outputGradient(0)!, dequantised(context)) : undefined,
      undefined,
      undefined,
    ];
  },
};

/** W [N, K]. */
function dequantised({ node, build, elementType }: RuleContext): string {
  const [x, packed, factors] = node.input as [string, string, string];
  const [inner, outer] = [intAttribute(node, 'K')!, intAttribute(node, 'N')!];
  const blockSize = intAttribute(node, 'block_size')!;
  if ((inner * outer) % blockSize !== 0) throw unsupported(node, 'its weight ends within a block');
  const type = elementType(x);
  const table = build.floats(intAttribute(node, 'quant_type', 1) === 1 ? NF4 : FP4, FLOAT_TYPES[type]);
  const four = build.constant('uint8 4', (name) =>
    tensorFromBytes(name, DataType.UINT8, [], Uint8Array.of(4)),
  );
  const shifted = (value: string, direction: 'LEFT' | 'RIGHT') => build.bitShift(value, four, direction);
  const column = (half: string) => build.cast(build.reshape(half, [-1, 1]), DataType.INT32);
  const high = column(shifted(packed, 'RIGHT'));
  const low = column(shifted(shifted(packed, 'LEFT'), 'RIGHT'));
  const places = build.concat([high, low], 1);
  const values = build.gather(table, build.reshape(places, [-1, blockSize]), 0);
  const scaled = build.mul(values, build.reshape(factors, [-1, 1]));
  return build.reshape(scaled, [outer, inner]);
}
