/**
 * LayerNormalization over the axes from `axis` on: y = n * scale + bias with n = (x - mean) * r, where r is the inverse
 * standard deviation 1 / sqrt(variance + epsilon). With g = dy * scale and means over the same axes:
 *   dx = r * (g - mean(g)) - r^3 * (x - mean) * mean(g * (x - mean)), of x's shape;
 *   dscale = dy * n and dbias = dy, summed to the shapes of scale and bias
 * (ONNX operator specification, LayerNormalization, since opset 17; onnxruntime has it in earlier opsets too). Mean and r
 * are the operator's own second and third outputs.
 */
import { intAttribute } from '../../onnx/graph/attributes.js';
import type { GradientRule } from '../gradient-rule.js';
import { meanOver, normalizedAxes, statistic } from './normalization.js';

export const layerNormalization: GradientRule = {
  operator: 'LayerNormalization',
  gradient(context) {
    const { node, build, outputGradient, wants, shape } = context;
    const [x, scale, bias] = node.input as [string, string, string | undefined];
    const from = shape(x);
    const dy = outputGradient(0)!;
    const axes = normalizedAxes(context, intAttribute(node, 'axis', -1));
    const centred = build.sub(x, statistic(context, 1));
    const inverse = statistic(context, 2);

    const byInput = () => {
      const scaled = build.mul(dy, scale);
      const cubed = build.mul(build.mul(inverse, inverse), inverse);
      const slope = build.mul(cubed, meanOver(context, build.mul(scaled, centred), axes));
      const shift = build.mul(inverse, meanOver(context, scaled, axes));
      return build.sub(build.sub(build.mul(scaled, inverse), build.mul(centred, slope)), shift);
    };
    const byScale = () => build.sumTo(build.mul(dy, build.mul(centred, inverse)), from, shape(scale));
    return [
      wants(0) ? byInput() : undefined,
      wants(1) ? byScale() : undefined,
      wants(2) ? build.sumTo(dy, from, shape(bias!)) : undefined,
    ];
  },
};
