/**
 * How many tokens a model can read: as many as its tables of positions have rows for, be they learned embeddings or
 * rotations worked out beforehand. A model that computes its positions as it goes has no such end.
 */
import { isStandardDomain } from '../../onnx/graph/operator-domain.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { tensorDims } from '../../onnx/graph/tensor.js';
import type { DataFlow } from './data-flow.js';
import { GATHERS, rowsOfTable } from './find-embedding.js';
import { cosineTable, tablesBehind } from './rotary-tables.js';

/** Operators that keep the largest of their first input's elements, where these are positions. */
const KEEPING = new Set(['Cast', 'Identity', 'Reshape', 'Unsqueeze', 'Squeeze', 'Expand', 'Slice', 'Clip']);

/** A table of which a model takes rows by position. */
interface PositionTable {
  rows: number | undefined;
  /** Absent where the operator counts positions by itself. */
  indices?: string;
}

/**
 * @param tokens the input with the token ids
 * @param positions the input with position ids, if there is one
 * @returns tokens of a text, past ones included, or undefined where no table bounds them
 */
export function contextLength(
  flow: DataFlow,
  tokens: string,
  positions: string | undefined,
): number | undefined {
  const lengths = flow.graph.nodes.flatMap((node) => {
    const table = positionTable(flow, node);
    if (table?.rows === undefined) return [];
    const beyond = table.indices === undefined ? -1 : largestIndex(flow, table.indices, tokens, positions);
    return beyond === undefined ? [] : [table.rows - 1 - beyond];
  });
  return lengths.length === 0 ? undefined : Math.min(...lengths);
}

function positionTable(flow: DataFlow, node: NodeProto): PositionTable | undefined {
  if (GATHERS.has(node.opType)) return { rows: rowsOfTable(flow, node.input[0]!), indices: node.input[1]! };
  const table = cosineTable(node);
  if (table === undefined) return undefined;
  const rows = rowsOf(flow, table);
  if (node.opType === 'GroupQueryAttention') return { rows };
  const indices = node.input[isStandardDomain(node.domain) ? 3 : 1];
  return indices ? { rows, indices } : undefined;
}

/** Of several tables those of the longest: it is for the longest texts. */
function rowsOf(flow: DataFlow, table: string): number | undefined {
  const tables = tablesBehind(flow, table);
  return tables.length === 0 ? undefined : Math.max(...tables.map((tensor) => tensorDims(tensor)[0]!));
}

/**
 * The largest index into a table for a text of L tokens, as its distance from L: -1 for positions that count from 0;
 * undefined where the index is no position.
 */
function largestIndex(
  flow: DataFlow,
  value: string,
  tokens: string,
  positions: string | undefined,
): number | undefined {
  const behind = (name: string | undefined) =>
    name === undefined || name === tokens ? undefined : largestIndex(flow, name, tokens, positions);
  if (value === positions) return -1;
  const node = flow.graph.producer(value);
  if (!node || flow.isConstant(value)) return undefined;
  const [first, second, third] = node.input;
  switch (node.opType) {
    // From the past's length up to the whole.
    case 'Range':
      return -1;
    // A running sum of the mask counts from 1.
    case 'CumSum':
      return 0;
    case 'Mul':
      return behind(first) ?? behind(second);
    case 'Where':
      return behind(second) ?? behind(third);
    case 'Add':
    case 'Sub': {
      const sign = node.opType === 'Add' ? 1 : -1;
      const summand = flow.integer(second);
      if (summand !== undefined) return plus(behind(first), sign * summand);
      const other = sign === 1 ? flow.integer(first) : undefined;
      return other === undefined ? (behind(first) ?? behind(second)) : plus(behind(second), other);
    }
    default:
      if (KEEPING.has(node.opType)) return flow.isConstant(first!) ? -1 : behind(first);
      return undefined;
  }
}

function plus(distance: number | undefined, summand: number): number | undefined {
  return distance === undefined ? undefined : distance + summand;
}
