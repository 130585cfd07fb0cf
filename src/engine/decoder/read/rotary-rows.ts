/**
 * RotaryEmbedding with cosines and sines of one row, as torch.onnx writes it from operator set 23 on: onnxruntime wants
 * those of every row, and runs such a file with one row only.
 */
import type { Graph } from '../../onnx/graph/graph.js';
import { isStandardDomain } from '../../onnx/graph/operator-domain.js';
import { Operators } from '../../onnx/graph/operators.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { DataFlow } from './data-flow.js';

/** Whether the node is told no positions, so that its tables have an axis of rows: [rows, positions, half]. */
export function hasTablesOfRows({ opType, domain, input }: NodeProto): boolean {
  return opType === 'RotaryEmbedding' && isStandardDomain(domain) && !input[3];
}

/** Repeats cosines and sines that are made of no input's content, and thus of one row, for each row of what they turn. */
export function repeatRotaryRows(graph: Graph): void {
  const nodes = graph.nodes.filter(hasTablesOfRows);
  if (nodes.length === 0) return;
  const flow = new DataFlow(graph);
  const ofOneRow = (table: string) =>
    graph.producer(table)?.opType !== 'Expand' && flow.sources([table], new Set()).inputs.size === 0;
  const alike = nodes.filter(({ input }) => ofOneRow(input[1]!));
  for (const node of alike) {
    const op = new Operators(graph, node.name || node.output[0]!);
    const rows = op.slice(op.shape(node.input[0]!), [0], [1], [0]);
    const dims = op.concat([rows, op.integers([1, 1])], 0);
    for (const place of [1, 2]) node.input[place] = op.expand(node.input[place]!, dims);
  }
  if (alike.length > 0) graph.sortNodes();
}
