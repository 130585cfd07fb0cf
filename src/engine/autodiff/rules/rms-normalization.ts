/**
 * RMSNormalization over the axes from `axis` on: y = x * r * scale with r = 1 / sqrt(mean(x^2) + epsilon). With
 * g = dy * scale and means over the same axes:
 *   dx = g * r - x * r^3 * mean(g * x), of x's shape; dscale = dy * x * r, summed to scale's shape
 * (ONNX operator specification, RMSNormalization, since opset 23). SimplifiedLayerNormalization is onnxruntime's earlier
 * operator for the same. Its second output is r on the CPU, but zero on WebGPU (onnxruntime 1.30), so r is computed anew.
 */
import { floatAttribute, intAttribute } from '../../onnx/graph/attributes.js';
import type { GradientRule, RuleContext } from '../gradient-rule.js';
import { meanOver, normalizedAxes, refuseUsedStatistic } from './normalization.js';

function rootMeanSquare(operator: string): GradientRule {
  return {
    operator,
    gradient(context) {
      const { node, build, outputGradient, wants, shape } = context;
      const [x, scale] = node.input as [string, string];
      const dy = outputGradient(0)!;
      refuseUsedStatistic(context, 1);
      const inverse = inverseOf(context);

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

function inverseOf(context: RuleContext): string {
  const { node, build } = context;
  const x = node.input[0]!;
  const square = meanOver(context, build.mul(x, x), axesOf(context));
  return build.reciprocal(build.sqrt(build.add(square, floatAttribute(node, 'epsilon', 1e-5))));
}

export const rmsNormalization = rootMeanSquare('RMSNormalization');
export const simplifiedLayerNormalization = rootMeanSquare('SimplifiedLayerNormalization');
