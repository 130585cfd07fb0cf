/** Cases of reductions and of the operators that pick elements by index. */
import { fc, integers, leaf, shape, shapeAndAxis, type RuleCase, type RuleCases } from '../rule-case.js';

interface Reduction {
  dims: number[];
  /** Undefined for all axes. */
  axes: number[] | undefined;
  keepdims: number;
}

const reduction: fc.Arbitrary<Reduction> = shape(1, 4).chain((dims) =>
  fc.record({
    dims: fc.constant(dims),
    axes: fc.option(
      fc
        .subarray([...dims.keys()], { minLength: 1 })
        .chain((axes) =>
          fc.boolean().map((negative) => axes.map((axis) => (negative ? axis - dims.length : axis))),
        ),
      { nil: undefined },
    ),
    keepdims: fc.constantFrom(0, 1),
  }),
);

const axesAsAttribute = reduction.map(({ dims, axes, keepdims }): RuleCase => ({
  inputs: [leaf(dims)],
  attributes: { keepdims, ...(axes ? { axes } : {}) },
}));

const axesAsInput = (opset: number) =>
  reduction.map(({ dims, axes, keepdims }): RuleCase => ({
    inputs: [leaf(dims), ...(axes ? [integers(...axes)] : [])],
    attributes: { keepdims },
    opset,
  }));

/** Indices into an axis, negative ones and repeated ones among them. */
const indicesInto = (size: number, count: number) =>
  fc.array(fc.integer({ min: -size, max: size - 1 }), { minLength: count, maxLength: count });

const gathered = fc
  .tuple(shapeAndAxis(), shape(0, 2), fc.constantFrom(13, 16), fc.boolean())
  .chain(([{ dims, axis }, indexDims, opset, fed]) =>
    indicesInto(
      dims.at(axis)!,
      indexDims.reduce((size, dim) => size * dim, 1),
    ).map((values): RuleCase => ({
      opset,
      attributes: { axis },
      inputs: [leaf(dims), { kind: fed ? 'fed integers' : 'integers', dims: indexDims, values }],
    })),
  );

const gatheredElements = fc
  .tuple(shapeAndAxis(), fc.integer({ min: 1, max: 3 }), fc.constantFrom(13, 16))
  .chain(([{ dims, axis }, count, opset]) => {
    const indexDims = dims.with(axis, opset < 16 ? 1 : count);
    return indicesInto(
      dims.at(axis)!,
      indexDims.reduce((size, dim) => size * dim, 1),
    ).map((values): RuleCase => ({
      opset,
      attributes: { axis },
      inputs: [leaf(dims), { kind: 'integers', dims: indexDims, values }],
    }));
  });

const gatheredND = fc.tuple(shape(1, 3), fc.integer({ min: 1, max: 3 })).chain(([dims, count]) =>
  fc
    .integer({ min: 1, max: dims.length })
    .chain((depth) => {
      const coordinates = dims.slice(0, depth).map((size) => fc.integer({ min: 0, max: size - 1 }));
      return fc.array(fc.tuple(...coordinates), { minLength: count, maxLength: count });
    })
    .map((places): RuleCase => ({
      opset: 16,
      inputs: [leaf(dims), { kind: 'integers', dims: [count, places[0]!.length], values: places.flat() }],
    })),
);

export const selections: RuleCases = {
  ReduceSum: axesAsInput(13),
  ReduceMean: fc.oneof(axesAsAttribute, axesAsInput(18)),
  ReduceMax: fc.oneof(axesAsAttribute, axesAsInput(18)),
  ReduceMin: fc.oneof(axesAsAttribute, axesAsInput(18)),
  Gather: gathered,
  GatherElements: gatheredElements,
  GatherND: gatheredND,
};
