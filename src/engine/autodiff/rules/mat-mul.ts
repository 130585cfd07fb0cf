/**
 * MatMul: C = A B over the last two axes, the axes before them broadcast; a 1-D A is a row, a 1-D B a column, and the
 * axis of size 1 is left out of C. dA = dC B^T and dB = A^T dC, summed to the shapes of A and B (ONNX operator
 * specification, MatMul; numpy.matmul).
 */
import type { GradientBuilder } from '../gradient-builder.js';
import type { GradientRule } from '../gradient-rule.js';
import type { Shape } from '../value-types.js';

export const matMul: GradientRule = {
  operator: 'MatMul',
  gradient({ node, build, outputGradient, wants, shape }) {
    const [a, b] = node.input as [string, string];
    const [rowOnly, columnOnly] = [shape(a).length === 1, shape(b).length === 1];
    const aShape = rowOnly ? [1, ...shape(a)] : shape(a);
    const bShape = columnOnly ? [...shape(b), 1] : shape(b);
    const batch = shape(node.output[0]!).slice(0, Math.max(aShape.length, bShape.length) - 2);
    const left: Matrix = { value: rowOnly ? build.unsqueeze(a, [0]) : a, shape: aShape };
    const right: Matrix = { value: columnOnly ? build.unsqueeze(b, [1]) : b, shape: bShape };
    const lost = [...(rowOnly ? [-2] : []), ...(columnOnly ? [-1] : [])];
    const product: Matrix = {
      value: build.unsqueeze(outputGradient(0)!, lost),
      shape: [...batch, aShape.at(-2), bShape.at(-1)],
    };
    return [
      wants(0) ? dropAxis(build, byLeft(build, left, right, product), rowOnly, 0) : undefined,
      wants(1) ? dropAxis(build, byRight(build, left, right, product), columnOnly, 1) : undefined,
    ];
  },
};

interface Matrix {
  value: string;
  shape: Shape;
}

function byLeft(build: GradientBuilder, a: Matrix, b: Matrix, dc: Matrix): string {
  const da = build.matMul(dc.value, build.swapLastTwo(b.value, b.shape.length));
  return build.sumTo(da, [...dc.shape.slice(0, -2), ...a.shape.slice(-2)], a.shape);
}

function byRight(build: GradientBuilder, a: Matrix, b: Matrix, dc: Matrix): string {
  const [k, n] = b.shape.slice(-2);
  if (b.shape.length === 2 && a.shape.length > 2 && k !== undefined && n !== undefined) {
    // One product over all rows at once, instead of one a batch entry and a sum.
    const rows = build.reshape(a.value, [-1, k]);
    return build.matMul(build.swapLastTwo(rows, 2), build.reshape(dc.value, [-1, n]));
  }
  const db = build.matMul(build.swapLastTwo(a.value, a.shape.length), dc.value);
  return build.sumTo(db, [...dc.shape.slice(0, -2), k, n], b.shape);
}

function dropAxis(build: GradientBuilder, gradient: string, drop: boolean, axis: number): string {
  return drop ? build.squeeze(gradient, [axis]) : gradient;
}
