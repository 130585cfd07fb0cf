/** Cases of the operators that move, cut, repeat and join. */
import {
  broadcastShapes,
  fc,
  integers,
  leaf,
  leavesOf,
  shape,
  shapeAndAxis,
  type RuleCase,
  type RuleCases,
} from '../rule-case.js';

const product = (dims: readonly number[]) => dims.reduce((size, dim) => size * dim, 1);

const permutations = shape(1, 4).chain((dims) =>
  fc
    .option(fc.shuffledSubarray([...dims.keys()], { minLength: dims.length }), { nil: undefined })
    .map((perm) => leavesOf([dims], perm ? { attributes: { perm } } : {})),
);

const unsqueezed = shape(0, 3).chain((dims) =>
  fc
    .uniqueArray(fc.integer({ min: 0, max: dims.length }), { minLength: 1, maxLength: 2 })
    .map((axes): RuleCase => ({ inputs: [leaf(dims), integers(...axes)] })),
);

const squeezed = fc.tuple(shape(1, 3), fc.nat(3), fc.boolean()).map(([dims, place, named]): RuleCase => {
  const axis = Math.min(place, dims.length);
  return { inputs: [leaf(dims.toSpliced(axis, 0, 1)), ...(named ? [integers(axis)] : [])] };
});

const concatenated = fc
  .tuple(shapeAndAxis(), fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }))
  .map(([{ dims, axis }, sizes]): RuleCase => ({
    attributes: { axis },
    inputs: sizes.map((size) => leaf(dims.with(axis, size))),
  }));

/** Parts beside a constant, which is not wanted, and an empty cache before the keys. */
const cached = fc
  .tuple(shapeAndAxis(), fc.integer({ min: 0, max: 2 }), fc.boolean())
  .map(([{ dims, axis }, past, last]): RuleCase => {
    const cache = dims.with(axis, past);
    const constant = {
      kind: 'constant' as const,
      dims: cache,
      values: Array<number>(product(cache)).fill(2),
    };
    return { attributes: { axis }, inputs: last ? [leaf(dims), constant] : [constant, leaf(dims)] };
  });

const split = fc
  .tuple(
    shapeAndAxis(),
    fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 3 }),
    fc.boolean(),
  )
  .map(([{ dims, axis }, sizes, byCount]): RuleCase => {
    if (!byCount) {
      const total = sizes.reduce((sum, size) => sum + size);
      return {
        attributes: { axis },
        inputs: [leaf(dims.with(axis, total)), integers(...sizes)],
        outputs: sizes.length,
      };
    }
    // The last part is smaller where the number does not divide the axis.
    const whole = dims.with(axis, 2 * sizes.length - 1);
    return {
      opset: 18,
      attributes: { axis, num_outputs: sizes.length },
      inputs: [leaf(whole)],
      outputs: sizes.length,
    };
  });

const bound = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -6, max: 6 }) },
  fc.constantFrom(2 ** 31, -(2 ** 31)),
);
const cut = fc.record({ start: bound, end: bound, step: fc.constantFrom(1, 1, 1, 2, -1, -2) });

const sliced = fc
  .tuple(shape(1, 3), fc.array(cut, { minLength: 1, maxLength: 2 }), fc.nat(3), fc.boolean())
  .map(([dims, cuts, chance, negative]): RuleCase => {
    const sizes = dims.map((dim) => dim + 2);
    const used = cuts.slice(0, dims.length);
    const axes = used.map((_, index) => (negative ? index - dims.length : index));
    const kind = chance === 0 ? ('fed integers' as const) : ('integers' as const);
    const vector = (values: number[]) => ({ kind, dims: [values.length], values });
    return {
      inputs: [
        leaf(sizes),
        vector(used.map(({ start }) => start)),
        vector(used.map(({ end }) => end)),
        integers(...axes),
        vector(used.map(({ step }) => step)),
      ],
    };
  })
  .filter(({ inputs }) => !isEmptySlice(inputs as never));

/** Slices of nothing are left out: zero-sized values have no gradient worth checking. */
function isEmptySlice(inputs: readonly { dims: number[]; values: number[] }[]): boolean {
  const [x, starts, ends, axes, steps] = inputs;
  return axes!.values.some((axis, index) => {
    const size = x!.dims.at(axis)!;
    const step = steps!.values[index]!;
    const clamp = (value: number, low: number, high: number) =>
      Math.max(low, Math.min(high, value < 0 ? value + size : value));
    return step > 0
      ? clamp(starts!.values[index]!, 0, size) >= clamp(ends!.values[index]!, 0, size)
      : clamp(starts!.values[index]!, 0, size - 1) <= clamp(ends!.values[index]!, -1, size - 1);
  });
}

const tiled = shape(0, 3).chain((dims) =>
  fc
    .array(fc.integer({ min: 1, max: 3 }), { minLength: dims.length, maxLength: dims.length })
    .map((repeats): RuleCase => ({ inputs: [leaf(dims), integers(...repeats)] })),
);

const padded = shape(1, 3).chain((dims) =>
  fc
    .array(fc.integer({ min: 0, max: 2 }), { minLength: 2 * dims.length, maxLength: 2 * dims.length })
    .map((pads): RuleCase => ({ inputs: [leaf(dims), integers(...pads)] })),
);

export const shapes: RuleCases = {
  Reshape: shape(1, 4).map((dims) => ({ inputs: [leaf(dims), integers(-1, dims.at(-1)!)] })),
  Flatten: shapeAndAxis().map(({ dims, axis }) => ({ inputs: [leaf(dims)], attributes: { axis } })),
  Transpose: permutations,
  Unsqueeze: unsqueezed,
  Squeeze: squeezed,
  Expand: broadcastShapes(2).map(([a, b]) => ({ inputs: [leaf(a!), integers(...b!)] })),
  Concat: fc.oneof(concatenated, cached),
  Split: split,
  Slice: sliced,
  Tile: tiled,
  Pad: padded,
  Trilu: fc.tuple(shape(2, 3), fc.integer({ min: -2, max: 2 }), fc.boolean()).map(([dims, k, upper]) => ({
    opset: 14,
    attributes: { upper: Number(upper) },
    inputs: [leaf(dims), { kind: 'integers', dims: [], values: [k] }],
  })),
};
