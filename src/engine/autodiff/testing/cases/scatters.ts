/** Cases of the operators that put elements at places, and of TopK, which says where they were. */
import { fc, integers, leaf, shape, shapeAndAxis, type RuleCase, type RuleCases } from '../rule-case.js';

/** Distinct places along an axis, in every row the same, with leaves for the data and the updates. */
const scatteredElements = fc
  .tuple(shapeAndAxis(), fc.constantFrom('none', 'add'))
  .chain(([{ dims, axis }, reduction]) =>
    fc.shuffledSubarray([...Array(dims.at(axis)!).keys()], { minLength: 1 }).map((places): RuleCase => {
      const at = axis < 0 ? axis + dims.length : axis;
      const indexDims = dims.with(at, places.length);
      const inner = dims.slice(at + 1).reduce((size, dim) => size * dim, 1);
      const count = indexDims.reduce((size, dim) => size * dim, 1);
      const values = Array.from({ length: count }, (_, i) => places[Math.floor(i / inner) % places.length]!);
      return {
        opset: 16,
        attributes: { axis, reduction },
        inputs: [leaf(dims), { kind: 'integers', dims: indexDims, values }, leaf(indexDims)],
      };
    }),
  );

const scatteredND = fc.tuple(shape(1, 3), fc.constantFrom('none', 'add')).chain(([dims, reduction]) =>
  fc.shuffledSubarray([...Array(dims[0]!).keys()], { minLength: 1 }).map((rows): RuleCase => ({
    opset: 16,
    attributes: { reduction },
    inputs: [
      leaf(dims),
      { kind: 'integers', dims: [rows.length, 1], values: rows },
      leaf([rows.length, ...dims.slice(1)]),
    ],
  })),
);

const largest = fc.tuple(shapeAndAxis(), fc.constantFrom(0, 1)).chain(([{ dims, axis }, first]) =>
  fc.integer({ min: 1, max: dims.at(axis)! }).map((count): RuleCase => ({
    attributes: { axis, largest: first },
    inputs: [leaf(dims), integers(count)],
    outputs: 2,
    weighted: [0],
  })),
);

export const scatters: RuleCases = {
  ScatterElements: scatteredElements,
  ScatterND: scatteredND,
  TopK: largest,
};
