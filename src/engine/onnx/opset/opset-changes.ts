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
import type { DataType } from '../graph/data-types.js';
import type { Graph } from '../graph/graph.js';
import type { NodeProto } from '../file/onnx_pb.js';
import { floatTensor, int64Tensor } from '../graph/tensor.js';

export interface NodeUpgrade {
  node: NodeProto;
  graph: Graph;
  /** The model's floating-point type. */
  floatType: DataType;
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

function constantOf({ node, graph }: NodeUpgrade, what: string, values: readonly number[]): string {
  const name = graph.freshName(`${node.output[0]}/${what}`);
  return graph.addInitializer(int64Tensor(name, [values.length], values));
}

function floatConstantOf({ node, graph, floatType }: NodeUpgrade, what: string, value: number): string {
  return graph.addInitializer(
    floatTensor(graph.freshName(`${node.output[0]}/${what}`), [], [value], floatType),
  );
}

/** Lists of integers become the inputs after the first, in the order of their names. */
function attributesToInputs(upgrade: NodeUpgrade, names: readonly string[]): void {
  const { node, graph } = upgrade;
  for (const name of names) {
    const values = intsAttribute(node, name);
    if (!values) continue;
    graph.setInput(node, node.input.length, constantOf(upgrade, name, values));
    removeAttribute(node, name);
  }
}

function topKCount(upgrade: NodeUpgrade): void {
  const { node, graph } = upgrade;
  graph.setInput(node, 1, constantOf(upgrade, 'k', [intAttribute(node, 'k', 1)]));
  removeAttribute(node, 'k');
}

function clipBounds(upgrade: NodeUpgrade): void {
  const { node, graph } = upgrade;
  for (const name of ['min', 'max']) {
    const bound = floatAttribute(node, name);
    if (bound === undefined) node.input.push('');
    else graph.setInput(node, node.input.length, floatConstantOf(upgrade, name, bound));
    removeAttribute(node, name);
  }
}

function padding(upgrade: NodeUpgrade): void {
  const { node, graph } = upgrade;
  attributesToInputs(upgrade, ['pads']);
  const value = floatAttribute(node, 'value', 0);
  if (value !== 0) graph.setInput(node, 2, floatConstantOf(upgrade, 'value', value));
  removeAttribute(node, 'value');
}

/** Before opset 13 everything from `axis` (by default 1) on was normalised together, as the rows of a matrix. */
function flattenedSoftmax({ node, graph }: NodeUpgrade): void {
  const axis = intAttribute(node, 'axis', 1);
  if (axis === -1) return;
  const [x, y] = [node.input[0]!, node.output[0]!];
  graph.removeNodes(new Set([node]));
  const [shape] = graph.addNode('Shape', [x], {}, { label: `${y}/shape` });
  const [rows] = graph.addNode('Flatten', [x], { axis }, { label: `${y}/rows` });
  const [normalized] = graph.addNode(node.opType, [rows!], { axis: -1 }, { label: `${y}/normalized` });
  graph.addNode('Reshape', [normalized!, shape!], {}, { outputs: [y], label: node.name || y });
}

function regionAlignment({ node }: NodeUpgrade): void {
  if (hasAttribute(node, 'coordinate_transformation_mode')) return;
  setAttribute(node, 'coordinate_transformation_mode', 'output_half_pixel');
}
