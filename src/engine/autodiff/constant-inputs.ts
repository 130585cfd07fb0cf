/** Values of a node's inputs that are known before the run. */
import { intAttribute } from '../onnx/graph/attributes.js';
import { tensorToFloat32, tensorToIntegers } from '../onnx/graph/tensor.js';
import type { NodeProto } from '../onnx/file/onnx_pb.js';
import type { RuleContext } from './gradient-rule.js';

/** The elements of a constant integer or boolean value, or undefined if it is computed at run time. */
export function constantIntegers(context: RuleContext, value: string): number[] | undefined {
  const tensor = context.constant(value);
  return tensor && tensorToIntegers(tensor, undefined);
}

/** Operators that pass on the elements of their first input, in their order. */
const PASSING = new Set(['Cast', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze']);

const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => Math.trunc(a / b),
};

/**
 * The elements of an integer value that is constant, or computed out of constants and of dimensions that every run has
 * alike, as exporters write half of a head's width; undefined if only the run tells.
 */
export function knownIntegers(context: RuleContext, value: string): number[] | undefined {
  const constant = constantIntegers(context, value);
  const node = context.producer(value);
  if (constant || !node || !context.elementType(node.output[0]!).startsWith('int')) return constant;
  if (PASSING.has(node.opType))
    return isInteger(context, node) ? knownIntegers(context, node.input[0]!) : undefined;
  if (node.opType === 'Concat')
    return allKnown(node.input.map((part) => knownIntegers(context, part)))?.flat();
  if (node.opType === 'Shape') return allKnown(dimensionsOf(context, node));
  if (node.opType === 'Gather') return gathered(context, node);
  const compute = ARITHMETIC[node.opType];
  if (!compute || !isInteger(context, node)) return undefined;
  const [a, b] = node.input.map((input) => knownIntegers(context, input));
  if (!a || !b || (a.length !== b.length && b.length !== 1)) return undefined;
  return a.map((left, index) => compute(left, b[index] ?? b[0]!));
}

/** One element, or several, of a shape of which the others need not be known. */
function gathered(context: RuleContext, node: NodeProto): number[] | undefined {
  const [source, index] = node.input as [string, string];
  const shape = context.producer(source);
  const from = shape?.opType === 'Shape' ? dimensionsOf(context, shape) : knownIntegers(context, source);
  const places = knownIntegers(context, index);
  return from && places && allKnown(places.map((place) => from.at(place)));
}

function dimensionsOf({ shape }: RuleContext, node: NodeProto): (number | undefined)[] {
  return shape(node.input[0]!).slice(intAttribute(node, 'start', 0), intAttribute(node, 'end'));
}

function isInteger(context: RuleContext, node: NodeProto): boolean {
  return context.elementType(node.input[0]!).startsWith('int');
}

function allKnown<Known>(items: readonly (Known | undefined)[]): Known[] | undefined {
  const known = items.filter((item) => item !== undefined);
  return known.length === items.length ? (known as Known[]) : undefined;
}

/** The number that a constant of one element holds, or undefined if it has several or is computed at run time. */
export function constantNumber(context: RuleContext, value: string): number | undefined {
  const tensor = context.constant(value);
  if (!tensor || tensor.dims.some((dim) => dim !== 1n)) return undefined;
  return tensorToFloat32(tensor, undefined)[0];
}
