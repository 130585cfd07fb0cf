/**
 * Gelu: y = x * phi(x); dx has x's shape (ONNX operator specification, Gelu, since opset 20).
 * - approximate = none: phi(x) = (1 + erf(x / sqrt 2)) / 2, dx = dy * (phi(x) + x * e^(-x^2 / 2) / sqrt(2 pi)).
 * - approximate = tanh: phi(x) = (1 + t) / 2 with t = tanh u, u = c * (x + 0.044715 x^3) and c = sqrt(2 / pi);
 *   dx = dy * (phi(x) + x * (1 - t^2) / 2 * c * (1 + 3 * 0.044715 x^2)).
 */
import { stringAttribute } from '../../onnx/graph/attributes.js';
import type { GradientBuilder } from '../gradient-builder.js';
import type { GradientRule } from '../gradient-rule.js';

export const gelu: GradientRule = {
  operator: 'Gelu',
  gradient({ node, build, outputGradient }) {
    const derivative = stringAttribute(node, 'approximate', 'none') === 'tanh' ? tanhSlope : erfSlope;
    return [build.mul(outputGradient(0)!, derivative(build, node.input[0]!))];
  },
};

function erfSlope(build: GradientBuilder, x: string): string {
  const phi = build.scale(build.add(build.erf(build.scale(x, Math.SQRT1_2)), 1), 0.5);
  const bell = build.exp(build.scale(build.mul(x, x), -0.5));
  return build.add(phi, build.scale(build.mul(x, bell), 1 / Math.sqrt(2 * Math.PI)));
}

function tanhSlope(build: GradientBuilder, x: string): string {
  const [factor, cubic] = [Math.sqrt(2 / Math.PI), 0.044715];
  const square = build.mul(x, x);
  const u = build.mul(x, build.add(build.scale(square, factor * cubic), factor));
  const tanh = build.tanh(u);
  const phi = build.scale(build.add(tanh, 1), 0.5);
  const uSlope = build.add(build.scale(square, 1.5 * factor * cubic), factor / 2);
  const slope = build.mul(build.sub(1, build.mul(tanh, tanh)), uSlope);
  return build.add(phi, build.mul(x, slope));
}
