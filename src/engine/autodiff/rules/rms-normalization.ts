/**
 * RMSNormalization over the axes from `axis` on: y = x * r * scale with r = 1 / sqrt(mean(x^2) + epsilon). With
 * g = dy * scale and means over the same axes:
 *   dx = g * r - x * r^3 * mean(g * x), of x's shape; dscale = dy * x * r, summed to scale's shape
 * (ONNX operator specification, RMSNormalization, since opset 23). SimplifiedLayerNormalization is onnxruntime's earlier
 * operator for the same. Its second output is r on the CPU, but zero on WebGPU (onnxruntime 1.30), so r is computed anew.
 */
import { intAttribute } from '../../onnx/graph/attributes.js';
import type { GradientRule, RuleContext } from '../gradient-rule.js';
import { inverseRoot, meanOver, normalizedAxes, refuseUsedStatistics } from './normalization.js';

function rootMeanSquare(operator: string): GradientRule {
  return {
    operator,
    gradient(context) {
      const { node, build, outputGradient, wants, shape } = context;
      const [x, scale] = node.input as [string, string];
      const dy = outputGradient(0)!;
      refuseUsedStatistics(context);
      const inverse = inverseRoot(context, meanOver(context, build.mul(x, x), axesOf(context)));

      const byInput = () => {
        const scaled = build.mul(dy, scale);
        const cubed = build.mul(build.mul(inverse, inverse), inverse);
        const mean = meanOver(context, build.mul(scaled, x), axesOf(context));
        return build.sub(build.mul(scaled, inverse), build.mul(x, build.mul(cubed, mean)));
      };
      const byScale = () => build.sumTo(build.mul(dy, build.mul(x, inverse)), shape(x), shape(scale));
      return [wants(0) ? byInput() : undefined, wants(1) ? byScale() : undefined];
    },
  };
}

function axesOf(context: RuleContext): number[] {
  return normalizedAxes(context, intAttribute(context.node, 'axis', -1));
}

export const rmsNormalization = rootMeanSquare('RMSNormalization');
export const simplifiedLayerNormalization = rootMeanSquare('SimplifiedLayerNormalization');
