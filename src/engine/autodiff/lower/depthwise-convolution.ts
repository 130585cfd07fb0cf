/**
 * Convolutions of each channel with its own few weights along the positions, as a sum of shifted products:
 * y[b, c, t] = sum over k of w[c, 0, k] * x[b, c, t + k]. The standard Conv with as many groups as channels (ONNX operator
 * specification), and com.microsoft.CausalConvWithState, which fills up x with its state before (onnxruntime's contributed
 * operators). x: [batch, channels, positions]; w: [channels, 1, taps].
 */
import { intAttribute, intsAttribute, stringAttribute } from '../../onnx/graph/attributes.js';
import type { Lowering, LoweringContext } from './lowering.js';

/** Behind the end of any axis. */
const END = 2 ** 31 - 1;

export const depthwiseConvolution: Lowering = {
  operator: 'Conv',
  domain: '',
  lower(context) {
    const { node, input, op, shape, refuse, fixedDim } = context;
    const [x, w] = [input(0)!, input(1)!];
    if (shape(w).length !== 3 || shape(w)[1] !== 1 || intAttribute(node, 'group', 1) !== fixedDim(x, 1))
      refuse('only convolutions of each channel by itself are supported');
    const steps = [...(intsAttribute(node, 'strides') ?? []), ...(intsAttribute(node, 'dilations') ?? [])];
    if (steps.some((step) => step !== 1) || stringAttribute(node, 'auto_pad', 'NOTSET') !== 'NOTSET')
      refuse('only convolutions in steps of 1 with explicit padding are supported');
    const [before = 0, after = 0] = intsAttribute(node, 'pads') ?? [];
    const padded = before + after > 0 ? op.pad(x, [0, 0, before, 0, 0, after], 0) : x;
    return [sumOfTaps(context, padded, w, input(2))];
  },
};

export const causalConvolutionWithState: Lowering = {
  operator: 'CausalConvWithState',
  lower(context) {
    const { node, input, op, refuse, fixedDim } = context;
    const [x, w] = [input(0)!, input(1)!];
    if (intAttribute(node, 'ndim', 1) !== 1 || intAttribute(node, 'state_window', 0) > 1)
      refuse('only convolutions along one axis with one state are supported');
    const kept = fixedDim(w, 2) - 1;
    const padded = op.pad(x, [0, 0, kept, 0, 0, 0], 0);
    const y = sumOfTaps(context, padded, w, input(2));
    const activation = stringAttribute(node, 'activation', 'none');
    if (!['none', 'silu', 'swish'].includes(activation))
      refuse(`the activation '${activation}' is not supported`);
    return [activation === 'none' ? y : op.mul(y, op.sigmoid(y)), op.slice(padded, [-kept], [END], [2])];
  },
};

function sumOfTaps(
  { op, fixedDim }: LoweringContext,
  x: string,
  w: string,
  bias: string | undefined,
): string {
  const taps = fixedDim(w, 2);
  const products = Array.from({ length: taps }, (_, tap) => {
    const left = taps - 1 - tap;
    const shifted = op.slice(x, [tap], [left === 0 ? END : -left], [2]);
    return op.mul(shifted, op.gather(w, op.integer(tap), 2));
  });
  const sum = products.reduce((total, product) => op.add(total, product));
  return bias === undefined ? sum : op.add(sum, op.unsqueeze(bias, [1]));
}
