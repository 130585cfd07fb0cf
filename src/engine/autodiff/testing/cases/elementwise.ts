/** Cases of the operators that work element by element. */
import {
  awayFromZero,
  broadcastShapes,
  fc,
  float,
  leaf,
  leavesOf,
  missing,
  positive,
  shape,
  type RuleCase,
  type RuleCases,
} from '../rule-case.js';

const wide = (random: number): number => 3 * random;

const unary = (
  options: Partial<RuleCase> = {},
  values?: (random: number) => number,
): fc.Arbitrary<RuleCase> => shape().map((dims) => leavesOf([dims], options, values));

const binary = (
  left?: (random: number) => number,
  right?: (random: number) => number,
): fc.Arbitrary<RuleCase> =>
  broadcastShapes(2).map(([a, b]) => ({ inputs: [leaf(a!, left), leaf(b!, right)] }));

const variadic = (options: Partial<RuleCase> = {}): fc.Arbitrary<RuleCase> =>
  fc
    .integer({ min: 1, max: 3 })
    .chain((count) => broadcastShapes(count))
    .map((shapes) => leavesOf(shapes, options));

/** Exponents that have their own formula, others, and exponents that are leaves. */
const powers = fc.oneof(
  fc.tuple(shape(), fc.constantFrom(1, 2, 3, 0.5, -0.5, -1, 2.5)).map(([dims, exponent]) => ({
    inputs: [leaf(dims, positive), { kind: 'constant' as const, dims: [], values: [exponent] }],
  })),
  fc.tuple(shape(), fc.constantFrom(2, 3, 4)).map(([dims, exponent]) => ({
    inputs: [leaf(dims), { kind: 'integers' as const, dims: [], values: [exponent] }],
  })),
  shape(1).map((dims) => ({
    inputs: [leaf(dims), { kind: 'fed integers' as const, dims: [], values: [3] }],
  })),
  binary(positive),
);

const bounds = fc.tuple(shape(), fc.boolean(), fc.boolean()).map(([dims, low, high]) => ({
  inputs: [
    leaf(dims, (random) => (Math.abs(Math.abs(random) - 0.5) < 0.01 ? 0 : random)),
    low ? leaf([], () => -0.5) : missing,
    high ? leaf([], () => 0.5) : missing,
  ],
}));

export const elementwise: RuleCases = {
  Abs: unary({}, awayFromZero),
  Add: binary(),
  Cast: unary({ attributes: { to: 11 } }),
  Ceil: unary({}, (random) => 0.5 + random / 3),
  Clip: bounds,
  Cos: unary({}, wide),
  Div: binary(undefined, awayFromZero),
  Dropout: unary(),
  Erf: unary({ single: true }, wide),
  Exp: unary(),
  Floor: unary({}, (random) => 0.5 + random / 3),
  Gelu: fc
    .constantFrom('none', 'tanh')
    .chain((approximate) => unary({ opset: 20, single: true, attributes: { approximate } }, wide)),
  HardSigmoid: unary({ single: true, attributes: { alpha: float(0.3) } }, (random) => random / 4),
  Identity: unary(),
  LeakyRelu: unary({ single: true, attributes: { alpha: float(0.1) } }, awayFromZero),
  Log: unary({}, positive),
  Max: variadic(),
  Mean: variadic({ single: true }),
  Min: variadic(),
  Mul: fc.oneof(
    binary(),
    fc.tuple(shape(3, 3), fc.boolean()).map(([dims, rows]) => ({
      inputs: [leaf([rows ? dims[0]! : 1, 1, 1]), leaf(dims)],
    })),
  ),
  Neg: unary(),
  Pow: powers,
  Reciprocal: unary({}, awayFromZero),
  Relu: unary({}, awayFromZero),
  Round: unary({}, (random) => random / 3),
  Sigmoid: unary({}, wide),
  Sign: unary({}, awayFromZero),
  Sin: unary({}, wide),
  Softplus: unary({ single: true }, wide),
  Sqrt: unary({}, positive),
  Sub: binary(),
  Sum: variadic(),
  Swish: unary({ opset: 24, single: true, attributes: { alpha: float(1.5) } }, wide),
  Tanh: unary({}, wide),
  Where: broadcastShapes(3).map(([condition, a, b]) => ({
    inputs: [{ kind: 'condition', dims: condition! }, leaf(a!), leaf(b!)],
  })),
};
