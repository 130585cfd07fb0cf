/**
 * Gather: y = x[..., index, ...] along `axis`, the index's shape in the axis's place; dx = the entries of dy added up at
 * the places they come from, zero elsewhere, of x's shape (ONNX operator specification, Gather).
 * - One constant index: dy between zeros.
 * - From opset 16: ScatterND with addition.
 * - Before: a product with the indices as one-hot rows, since ScatterND does not add up yet.
 */
import { intAttribute } from '../../onnx/graph/attributes.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { absoluteAxis } from '../broadcasting.js';
import { constantIntegers } from '../constant-inputs.js';
import type { GradientRule, RuleContext } from '../gradient-rule.js';

export const gather: GradientRule = {
  operator: 'Gather',
  gradient(context) {
    const { node, shape } = context;
    const axis = absoluteAxis(intAttribute(node, 'axis', 0), shape(node.input[0]!).length);
    return [
      betweenZeros(context, axis) ??
        (context.opset >= 16 ? byAddition(context, axis) : byOneHot(context, axis)),
    ];
  },
};

function betweenZeros(context: RuleContext, axis: number): string | undefined {
  const { node, build, outputGradient, shape } = context;
  const [x, index] = node.input as [string, string];
  const full = shape(x)[axis];
  const chosen = constantIntegers(context, index);
  if (chosen?.length !== 1 || full === undefined) return undefined;
  const before = absoluteAxis(chosen[0]!, full);
  const rank = shape(index).length;
  const dy = outputGradient(0)!;
  const kept =
    rank === 0
      ? build.unsqueeze(dy, [axis])
      : build.squeeze(
          dy,
          Array.from({ length: rank - 1 }, (_, extra) => axis + extra),
        );
  return build.padSlice({ source: kept, axis, before, size: 1, full }, shape(x).length);
}

/** The sizes of x but for the axis, each int64 [1]. */
function otherDims({ node, build, shape }: RuleContext, axis: number): string[] {
  const x = node.input[0]!;
  return shape(x).flatMap((_, other) => (other === axis ? [] : [build.dimOf(x, other)]));
}

/** dy with the axis in front: [elements of the index, other axes of x]. */
function indexFirst(context: RuleContext, axis: number): string {
  const { node, build, outputGradient, shape } = context;
  const [indexRank, rank] = [shape(node.input[1]!).length, shape(node.input[0]!).length];
  const moved = build.transpose(outputGradient(0)!, [
    ...Array.from({ length: indexRank }, (_, position) => axis + position),
    ...Array.from({ length: axis }, (_, position) => position),
    ...Array.from({ length: rank - 1 - axis }, (_, position) => axis + indexRank + position),
  ]);
  if (indexRank === 1) return moved;
  const dims = [build.integers([-1]), ...otherDims(context, axis)];
  return build.reshape(moved, build.concat(dims, 0));
}

/** Undoes the move of the axis to the front. */
function axisBack({ node, build, shape }: RuleContext, gradient: string, axis: number): string {
  const perm = shape(node.input[0]!).map((_, position) => {
    if (position === axis) return 0;
    return position < axis ? position + 1 : position;
  });
  return build.transpose(gradient, perm);
}

function byAddition(context: RuleContext, axis: number): string {
  const { node, build } = context;
  const dims = build.concat([build.dimOf(node.input[0]!, axis), ...otherDims(context, axis)], 0);
  const zeros = build.expand(0, dims);
  const indices = build.reshape(build.cast(node.input[1]!, DataType.INT64), [-1, 1]);
  return axisBack(context, build.scatterNDAdd(zeros, indices, indexFirst(context, axis)), axis);
}

function byOneHot(context: RuleContext, axis: number): string {
  const { node, build, elementType } = context;
  const [x, index] = node.input as [string, string];
  const [size, type] = [build.dimOf(x, axis), elementType(x)];
  const offAndOn = build.floats([0, 1], DataType.FLOAT);
  const chosen = build.oneHot(build.reshape(index, [-1]), size, offAndOn, 0);
  const rows = build.reshape(indexFirst(context, axis), [0, -1]);
  const product = build.matMul(type === 'float32' ? chosen : build.castTo(chosen, type), rows);
  const dims = build.concat([size, ...otherDims(context, axis)], 0);
  return axisBack(context, build.reshape(product, dims), axis);
}
