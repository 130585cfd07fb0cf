/**
 * Tables of cosines and sines that positions are turned by. Where a model has others for texts beyond a border (LongRoPE),
 * an If on the text's length chooses, as onnxruntime-genai's builder writes it.
 */
import { UserError } from '../../../schema/errors.js';
import type { GraphProto, NodeProto, TensorProto } from '../../onnx/file/onnx_pb.js';
import { subgraphs } from '../../onnx/graph/attributes.js';
import { Graph } from '../../onnx/graph/graph.js';
import { describeNode } from '../../onnx/graph/node.js';
import { isStandardDomain } from '../../onnx/graph/operator-domain.js';
import type { DataFlow } from './data-flow.js';

/** Operators whose result holds first rows of their first input, if not all. */
const KEEPING = new Set(['Identity', 'Cast', 'Slice']);

/** The table of cosines that a node turns by; undefined if it turns nothing. */
export function cosineTable({ opType, domain, input }: NodeProto): string | undefined {
  if (opType === 'GroupQueryAttention') return input[7] || undefined;
  if (opType !== 'RotaryEmbedding') return undefined;
  return input[isStandardDomain(domain) ? 1 : 2];
}

/** The constants that a table may be: one, or one for each branch of an If; none where it is made in another way. */
export function tablesBehind(flow: DataFlow, value: string): TensorProto[] {
  const constant = flow.constantBehind(value);
  if (constant) return [constant];
  const choice = choiceBehind(flow, value);
  if (!choice) return [];
  const tables = subgraphs(choice.node).map((branch) => tableOf(flow, branch, choice.place));
  return tables.every((table) => table !== undefined) ? tables : [];
}

/**
 * Tokens of a text, past ones included, up to which the first tables hold: beyond, all positions are turned by others,
 * from the first on. A batch is turned as its longest row is. Undefined where a model has no such border.
 * @throws UserError if an If chooses tables by something else
 */
export function rotaryBorder(flow: DataFlow): number | undefined {
  for (const node of flow.graph.nodes) {
    const table = cosineTable(node);
    const choice = table === undefined ? undefined : choiceBehind(flow, table);
    if (choice) return borderOf(flow, choice.node);
  }
  return undefined;
}

function borderOf(flow: DataFlow, choice: NodeProto): number {
  const condition = flow.graph.producer(flow.origin(choice.input[0]!));
  const bound = flow.integer(condition?.input[1]);
  if (bound !== undefined && condition?.opType === 'Greater') return bound;
  if (bound !== undefined && condition?.opType === 'GreaterOrEqual') return bound - 1;
  throw new UserError(
    `The model chooses how it turns positions by something else than a text's length (the ${describeNode(choice)}), which is not understood; use another export of the model.`,
  );
}

function choiceBehind(flow: DataFlow, value: string): { node: NodeProto; place: number } | undefined {
  const origin = flow.origin(value);
  const node = flow.graph.producer(origin);
  return node?.opType === 'If' ? { node, place: node.output.indexOf(origin) } : undefined;
}

function tableOf(flow: DataFlow, branch: GraphProto, place: number): TensorProto | undefined {
  const inner = new Graph(branch);
  let name = branch.output[place]?.name;
  for (;;) {
    if (name === undefined) return undefined;
    const node = inner.producer(name);
    const table = inner.constant(name) ?? (node ? undefined : flow.constantBehind(name));
    if (table) return table;
    if (!node || !KEEPING.has(node.opType)) return undefined;
    name = node.input[0];
  }
}
