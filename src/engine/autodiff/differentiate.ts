/** Reverse-mode differentiation of a graph: appends the nodes that compute the gradient of a loss by some leaves. */
import type { DataType } from '../onnx/graph/data-types.js';
import type { Graph } from '../onnx/graph/graph.js';
import { valuesRead } from '../onnx/graph/node.js';
import { sortNodes } from '../onnx/graph/sort-nodes.js';
import { producersOf, reach } from '../onnx/graph/walk.js';
import type { NodeProto } from '../onnx/file/onnx_pb.js';
import { FLOAT_TYPES, isDifferentiable } from './float-types.js';
import { GradientBuilder } from './gradient-builder.js';
import type { RuleContext } from './gradient-rule.js';
import type { ValueTypes } from './value-types.js';
import { findRule } from './rules/index.js';
import { unsupported } from './unsupported.js';

export interface DifferentiateOptions {
  /** A value of one element; or of any shape where `seed` is given. */
  loss: string;
  /** The gradient by `loss`, of its shape, where more follows outside of the graph. Default: one. */
  seed?: string;
  /** Graph inputs or other values. */
  leaves: readonly string[];
  /** Types of all values between the leaves and the loss, and of what these nodes read beside them. */
  types: ValueTypes;
  /** Version of the standard operators that the model imports. Default: 13, whose forms all later versions share. */
  opset?: number;
}

/**
 * Appends vector-Jacobian products to the graph, in topological order if the graph is.
 * @returns for each leaf the name of the gradient of the loss by it, of the leaf's shape; zeros if the loss does not
 *   depend on the leaf
 * @throws UserError if an operator between a leaf and the loss has no gradient rule
 */
export function differentiate(graph: Graph, options: DifferentiateOptions): Map<string, string> {
  const { loss, leaves, types } = options;
  const build = new GradientBuilder(graph, types);
  const nodes = sortNodes([...producersOf(graph, [loss])], (value) => graph.producer(value));
  const active = activeValues(nodes, leaves, types);
  const gradients = new Map<string, string[]>();

  build.enter('gradient', floatType(types, loss));
  if (active.has(loss)) gradients.set(loss, [options.seed ?? seedOfOne(build, types, loss)]);
  const gradientOf = (value: string): string | undefined => {
    const parts = gradients.get(value);
    if (!parts) return undefined;
    if (parts.length > 1) parts.splice(0, parts.length, build.sum(parts));
    build.declareShape(parts[0]!, typeOf(types, value).shape);
    return parts[0];
  };

  for (const node of nodes.toReversed()) {
    if (!node.output.some((output) => gradients.has(output))) continue;
    if (!valuesRead(node).some((value) => active.has(value))) continue;
    const rule = findRule(node);
    if (!rule) throw unsupported(node, 'Hopscotch has no gradient rule for this operator');
    build.enter(`gradient/${node.output[0]}`, floatType(types, node.output[0]!));
    const context: RuleContext = {
      node,
      build,
      outputGradient: (index) => gradientOf(node.output[index] ?? ''),
      wants: (index) => active.has(node.input[index] ?? ''),
      shape: (value) => typeOf(types, value).shape,
      elementType: (value) => elementType(types, value),
      constant: (value) => graph.constant(value),
      producer: (value) => graph.producer(value),
      opset: options.opset ?? 13,
    };
    rule.gradient(context).forEach((gradient, index) => {
      const input = node.input[index]!;
      if (gradient === undefined || !active.has(input)) return;
      const parts = gradients.get(input);
      if (parts) parts.push(gradient);
      else gradients.set(input, [gradient]);
    });
  }

  build.enter('gradient/leaves', floatType(types, loss));
  const results = new Map<string, string>();
  const taken = new Set<string>();
  for (const leaf of leaves) {
    const gradient = gradientOf(leaf) ?? build.zerosLike(leaf);
    // Graph outputs need names of their own, and a node that makes them.
    const shared = taken.has(gradient) || !build.added.has(graph.producer(gradient)!);
    results.set(leaf, shared ? build.identity(gradient) : gradient);
    taken.add(gradient);
  }
  removeUnread(graph, build.added, new Set(results.values()));
  return results;
}

/** The floating-point values that depend on a leaf. */
function activeValues(
  nodes: readonly NodeProto[],
  leaves: readonly string[],
  types: ValueTypes,
): Set<string> {
  const active = new Set(leaves.filter((leaf) => isDifferentiable(elementType(types, leaf))));
  for (const node of nodes) {
    if (!valuesRead(node).some((value) => active.has(value))) continue;
    for (const output of node.output) {
      if (output !== '' && isDifferentiable(elementType(types, output))) active.add(output);
    }
  }
  return active;
}

/** The gradient of the loss by itself. */
function seedOfOne(build: GradientBuilder, types: ValueTypes, loss: string): string {
  const { shape } = typeOf(types, loss);
  if (shape.some((dim) => dim !== 1)) throw new RangeError(`The loss '${loss}' has more than one element`);
  return shape.length === 0 ? build.scalar(1) : build.expandLike(build.scalar(1), loss);
}

/** Removes those of the nodes that no result needs. */
function removeUnread(graph: Graph, added: ReadonlySet<NodeProto>, results: ReadonlySet<string>): void {
  const addedBefore = (values: Iterable<string>) =>
    [...producersOf(graph, values)].filter((node) => added.has(node));
  const read = reach(addedBefore(results), (node) => addedBefore(node.input));
  graph.removeNodes(new Set([...added].filter((node) => !read.has(node))));
}

function typeOf(types: ValueTypes, value: string) {
  const type = types.get(value);
  if (!type) throw new RangeError(`The type of the value '${value}' is not known`);
  return type;
}

function floatType(types: ValueTypes, value: string): DataType | undefined {
  return FLOAT_TYPES[elementType(types, value)];
}

function elementType(types: ValueTypes, value: string): string {
  return typeOf(types, value).type;
}
