/**
 * Tile: y = x repeated repeats[i] times along axis i; dx = dy summed over the repetitions, of x's shape: dy in the shape
 * [repeats[0], dim 0, repeats[1], dim 1, ...] summed over every other axis (ONNX operator specification, Tile).
 */
import type { GradientRule } from '../gradient-rule.js';

export const tile: GradientRule = {
  operator: 'Tile',
  gradient({ node, build, outputGradient, shape }) {
    const [x, repeats] = node.input as [string, string];
    const axes = shape(x).map((_, axis) => 2 * axis);
    if (axes.length === 0) return [outputGradient(0)!];
    const columns = [repeats, build.shapeOf(x)].map((vector) => build.unsqueeze(vector, [1]));
    const dims = build.reshape(build.concat(columns, 1), [-1]);
    return [build.reduceSum(build.reshape(outputGradient(0)!, dims), axes, false)];
  },
};
