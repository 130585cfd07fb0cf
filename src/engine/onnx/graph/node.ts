/** A node by itself: what it reads, what it holds as a constant, and how errors name it. */
import {
  floatAttribute,
  hasAttribute,
  intAttribute,
  intsAttribute,
  subgraphs,
  tensorAttribute,
} from './attributes.js';
import type { GraphProto, NodeProto, TensorProto } from '../file/onnx_pb.js';
import { isStandardDomain } from './operator-domain.js';
import { floatTensor, int64Tensor } from './tensor.js';

/** The values a node reads: its inputs, and what its subgraphs take from the graph around them. */
export function valuesRead(node: NodeProto): string[] {
  const direct = node.input.filter((name) => name !== '');
  const inner = subgraphs(node).flatMap(outerValues);
  return inner.length === 0 ? direct : [...new Set([...direct, ...inner])];
}

/** Values that a subgraph uses without making them itself. */
function outerValues(graph: GraphProto): string[] {
  const own = new Set([
    ...graph.input.map((value) => value.name),
    ...graph.initializer.map((tensor) => tensor.name),
    ...graph.node.flatMap((node) => node.output),
  ]);
  const used = [...graph.node.flatMap(valuesRead), ...graph.output.map((value) => value.name)];
  return used.filter((name) => !own.has(name));
}

/** 'Softmax node "/layers.0/Softmax"': how errors name a node. */
export function describeNode(node: NodeProto): string {
  const operator = isStandardDomain(node.domain) ? node.opType : `${node.domain}.${node.opType}`;
  const name = node.name || node.output[0] || 'without a name';
  return `${operator} node "${name}"`;
}

/** Makes a node read another value, in its subgraphs too. */
export function renameReads(node: NodeProto, before: string, after: string): void {
  node.input = node.input.map((name) => (name === before ? after : name));
  for (const graph of subgraphs(node)) {
    if (!outerValues(graph).includes(before)) continue;
    for (const inner of graph.node) renameReads(inner, before, after);
    for (const output of graph.output) if (output.name === before) output.name = after;
  }
}

/** The value of a Constant node (ONNX specification, Constant), or undefined for strings and sparse tensors. */
export function constantTensor(node: NodeProto): TensorProto | undefined {
  const tensor = tensorAttribute(node, 'value');
  if (tensor) return tensor;
  const name = node.output[0]!;
  if (hasAttribute(node, 'value_int')) return int64Tensor(name, [], [intAttribute(node, 'value_int', 0)]);
  if (hasAttribute(node, 'value_float'))
    return floatTensor(name, [], [floatAttribute(node, 'value_float', 0)]);
  const ints = intsAttribute(node, 'value_ints');
  if (ints && ints.length > 0) return int64Tensor(name, [ints.length], ints);
  const floats = node.attribute.find((attribute) => attribute.name === 'value_floats')?.floats;
  return floats ? floatTensor(name, [floats.length], floats) : undefined;
}
