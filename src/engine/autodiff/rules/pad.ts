/**
 * Pad with constants: y = x with `pads` values before and after each axis; dx = the part of dy that x fills, of its shape
 * (ONNX operator specification, Pad; the axes are an input since opset 18).
 */
import { stringAttribute } from '../../onnx/graph/attributes.js';
import { constantIntegers } from '../constant-inputs.js';
import type { GradientRule } from '../gradient-rule.js';
import { unsupported } from '../unsupported.js';

export const pad: GradientRule = {
  operator: 'Pad',
  gradient(context) {
    const { node, build, outputGradient, shape } = context;
    const x = node.input[0]!;
    const pads = constantIntegers(context, node.input[1]!);
    if (
      stringAttribute(node, 'mode', 'constant') !== 'constant' ||
      !pads ||
      pads.some((count) => count < 0)
    ) {
      throw unsupported(node, 'only padding by constant numbers of constant values is supported');
    }
    const before = pads.slice(0, pads.length / 2);
    const axes = node.input[3] ? node.input[3] : build.integers(shape(x).map((_, axis) => axis));
    const starts = build.integers(before);
    const sizes = build.gather(build.shapeOf(x), axes, 0);
    return [build.slice(outputGradient(0)!, starts, build.add(starts, sizes), axes)];
  },
};
