/** Cases of matrix products and normalisations. */
import {
  broadcastShapes,
  fc,
  float,
  leaf,
  leavesOf,
  missing,
  shape,
  shapeAndAxis,
  type CaseInput,
  type RuleCase,
  type RuleCases,
} from '../rule-case.js';

const dim = fc.integer({ min: 1, max: 4 });
const dims3 = fc.tuple(dim, dim, dim);

const products = fc.oneof(
  fc.tuple(broadcastShapes(2), dims3).map(([[a, b], [m, k, n]]) => ({
    inputs: [leaf([...a!, m, k]), leaf([...b!, k, n])],
  })),
  fc.tuple(shape(0, 2), dims3).map(([batch, [m, k, n]]) => ({
    inputs: [leaf([...batch, m, k]), leaf([k, n])],
  })),
  fc.tuple(shape(0, 2), dims3, fc.constantFrom('row', 'column', 'both')).map(([batch, [m, k, n], flat]) => ({
    inputs: [leaf(flat === 'column' ? [...batch, m, k] : [k]), leaf(flat === 'row' ? [...batch, k, n] : [k])],
  })),
);

/** Products with a weight in blocks of 16; the last block may be filled up. */
const quantised = fc
  .tuple(dims3, fc.constantFrom(4, 8), fc.constantFrom(16, 40), fc.boolean(), fc.boolean())
  .map(([[rows, positions, outer], bits, inner, hasZeroPoints, hasBias]) => {
    const blocks = Math.ceil(inner / 16);
    const scales = Array.from({ length: outer * blocks }, (_, index) => (1 + (index % 3)) / 2 ** bits);
    const zeroPoints: CaseInput = { kind: 'bytes', dims: [outer * Math.ceil((blocks * bits) / 8)] };
    return {
      inputs: [
        leaf([rows, positions, inner]),
        { kind: 'bytes', dims: [outer, blocks, 2 * bits] },
        { kind: 'constant', dims: [outer * blocks], values: scales },
        ...(hasZeroPoints ? [zeroPoints] : hasBias ? [missing] : []),
        ...(hasBias ? [missing, leaf([outer])] : []),
      ] satisfies CaseInput[],
      attributes: { K: inner, N: outer, bits, block_size: 16 },
      single: true,
    };
  });

const gemms = fc
  .tuple(dims3, fc.boolean(), fc.boolean(), fc.constantFrom('none', 'full', 'row', 'column', 'scalar'))
  .map(([[m, k, n], transA, transB, bias]) => {
    const biasDims = { none: undefined, full: [m, n], row: [n], column: [m, 1], scalar: [] }[bias];
    return {
      inputs: [
        leaf(transA ? [k, m] : [m, k]),
        leaf(transB ? [n, k] : [k, n]),
        ...(biasDims ? [leaf(biasDims)] : []),
      ],
      attributes: {
        alpha: float(0.7),
        beta: float(1.3),
        transA: Number(transA),
        transB: Number(transB),
      },
    };
  });

/** Blocks may hold several rows, or a row several blocks. */
const normalFloats = fc
  .tuple(fc.constantFrom(0, 1), fc.constantFrom(16, 32, 64), fc.constantFrom(2, 4, 6))
  .map(([type, inner, outer]): RuleCase => ({
    single: true,
    attributes: { K: inner, N: outer, block_size: 32, quant_type: type },
    inputs: [
      leaf([2, 3, inner]),
      { kind: 'bytes', dims: [(inner * outer) / 2] },
      {
        kind: 'constant',
        dims: [(inner * outer) / 32],
        values: Array.from({ length: (inner * outer) / 32 }, (_, block) => 0.2 + 0.1 * block),
      },
    ],
  }));

const equations = fc
  .tuple(
    fc.constantFrom('ij,jk->ik', 'bhqd,bhkd->bhqk', 'ij,jk', 'ij->ji', 'ij,k->i', 'bij,bjk,k->bi'),
    dims3,
  )
  .map(([equation, sizes]): RuleCase => {
    const letters = [...new Set(equation.replaceAll(/[^a-z]/g, ''))];
    const size = (letter: string) => sizes[letters.indexOf(letter) % 3]!;
    return {
      attributes: { equation },
      inputs: equation
        .split('->')[0]!
        .split(',')
        .map((term) => leaf(Array.from(term, size))),
    };
  });

/** At least three elements are normalised: of one or two only their order matters. */
const normalised = (
  options: Partial<RuleCase>,
  inputs: (from: number[]) => number[][],
): fc.Arbitrary<RuleCase> =>
  shapeAndAxis(1, 3).map(({ dims, axis }) => {
    const sizes = [...dims.slice(0, -1), dims.at(-1)! + 2];
    const attributes = { axis, epsilon: float(0.01) };
    return leavesOf([sizes, ...inputs(sizes.slice(axis))], Object.assign({ attributes }, options));
  });

export const matrices: RuleCases = {
  MatMul: products,
  MatMulBnb4: normalFloats,
  MatMulNBits: quantised,
  Gemm: gemms,
  Einsum: equations,
  LayerNormalization: fc.oneof(
    normalised({ opset: 17, single: true }, (from) => [from, from]),
    normalised({ opset: 17, single: true }, (from) => [from]),
  ),
  RMSNormalization: normalised({ opset: 23, single: true }, (from) => [from]),
  SimplifiedLayerNormalization: normalised({ single: true }, (from) => [from]),
  Softmax: shapeAndAxis().map(({ dims, axis }) => ({ inputs: [leaf(dims)], attributes: { axis } })),
  LogSoftmax: shapeAndAxis().map(({ dims, axis }) => ({ inputs: [leaf(dims)], attributes: { axis } })),
};
