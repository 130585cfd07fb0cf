/**
 * What changed in the operators that language models use from opset 7 to 16, and how a node of an earlier version is
 * written in the later form (ONNX operator changelog).
 */
import {
  floatAttribute,
  hasAttribute,
  intAttribute,
  intsAttribute,
  removeAttribute,
  setAttribute,
} from '../graph/attributes.js';
import type { Graph } from '../graph/graph.js';
import type { NodeProto } from '../file/onnx_pb.js';
import type { Operators } from '../graph/operators.js';

export interface NodeUpgrade {
  node: NodeProto;
  graph: Graph;
  /** Adds nodes to the graph, and constants of the model's floating-point type. */
  op: Operators;
}

export interface OpsetChange {
  operator: string;
  /** The opset that brought the later form. */
  since: number;
  apply(upgrade: NodeUpgrade): void;
}

export const OPSET_CHANGES: readonly OpsetChange[] = [
  {
    operator: 'Slice',
    since: 10,
    apply: (upgrade) => attributesToInputs(upgrade, ['starts', 'ends', 'axes']),
  },
  { operator: 'TopK', since: 10, apply: topKCount },
  { operator: 'Scatter', since: 11, apply: ({ node }) => void (node.opType = 'ScatterElements') },
  { operator: 'Clip', since: 11, apply: clipBounds },
  { operator: 'Pad', since: 11, apply: padding },
  { operator: 'Dropout', since: 12, apply: ({ node }) => removeAttribute(node, 'ratio') },
  { operator: 'Squeeze', since: 13, apply: (upgrade) => attributesToInputs(upgrade, ['axes']) },
  { operator: 'Unsqueeze', since: 13, apply: (upgrade) => attributesToInputs(upgrade, ['axes']) },
  { operator: 'ReduceSum', since: 13, apply: (upgrade) => attributesToInputs(upgrade, ['axes']) },
  { operator: 'Split', since: 13, apply: (upgrade) => attributesToInputs(upgrade, ['split']) },
  { operator: 'Softmax', since: 13, apply: flattenedSoftmax },
  { operator: 'LogSoftmax', since: 13, apply: flattenedSoftmax },
  { operator: 'Hardmax', since: 13, apply: flattenedSoftmax },
  { operator: 'RoiAlign', since: 16, apply: regionAlignment },
];

/** Lists of integers become the inputs after the first, in the order of their names. */
function attributesToInputs({ node, graph, op }: NodeUpgrade, names: readonly string[]): void {
  for (const name of names) {
    const values = intsAttribute(node, name);
    if (!values) continue;
    graph.setInput(node, node.input.length, op.integers(values));
    removeAttribute(node, name);
  }
}

function topKCount({ node, graph, op }: NodeUpgrade): void {
  graph.setInput(node, 1, op.integers([intAttribute(node, 'k', 1)]));
  removeAttribute(node, 'k');
}

function clipBounds({ node, graph, op }: NodeUpgrade): void {
  for (const name of ['min', 'max']) {
    const bound = floatAttribute(node, name);
    if (bound === undefined) node.input.push('');
    else graph.setInput(node, node.input.length, op.scalar(bound));
    removeAttribute(node, name);
  }
}

function padding(upgrade: NodeUpgrade): void {
  const { node, graph, op } = upgrade;
  attributesToInputs(upgrade, ['pads']);
  const value = floatAttribute(node, 'value', 0);
  if (value !== 0) graph.setInput(node, 2, op.scalar(value));
  removeAttribute(node, 'value');
}

/** Before opset 13 everything from `axis` (by default 1) on was normalised together, as the rows of a matrix. */
function flattenedSoftmax({ node, graph, op }: NodeUpgrade): void {
  const axis = intAttribute(node, 'axis', 1);
  if (axis === -1) return;
  const [x, y] = [node.input[0]!, node.output[0]!];
  graph.removeNodes(new Set([node]));
  const normalized = op.emit(node.opType, [op.flatten(x, axis)], { axis: -1 });
  op.name(op.reshape(normalized, op.shape(x)), y);
}

function regionAlignment({ node }: NodeUpgrade): void {
  if (hasAttribute(node, 'coordinate_transformation_mode')) return;
  setAttribute(node, 'coordinate_transformation_mode', 'output_half_pixel');
}
