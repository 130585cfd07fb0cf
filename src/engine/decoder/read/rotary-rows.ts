/**
 * RotaryEmbedding with cosines and sines of one row, as torch.onnx writes it from operator set 23 on: onnxruntime wants
 * those of every row, and runs such a file with one row only.
 */
import type { Graph } from '../../onnx/graph/graph.js';
import { isStandardDomain } from '../../onnx/graph/operator-domain.js';
import { Operators } from '../../onnx/graph/operators.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { DataFlow } from './data-flow.js';

/** Repeats such cosines and sines for each row of what they turn. */
export function repeatRotaryRows(graph: Graph): void {
  const nodes = turnedAlike(graph);
  for (const node of nodes) {
    const op = new Operators(graph, node.name || node.output[0]!);
    const rows = op.slice(op.shape(node.input[0]!), [0], [1], [0]);
    const dims = op.concat([rows, op.integers([1, 1])], 0);
    for (const place of [1, 2]) graph.setInput(node, place, op.expand(node.input[place]!, dims));
  }
  if (nodes.length > 0) graph.sortNodes();
}

/** Nodes that turn all rows alike: they are told no positions, and their tables are made of no input's content. */
export function turnedAlike(graph: Graph): NodeProto[] {
  const nodes = graph.nodes.filter(
    ({ opType, domain, input }) => opType === 'RotaryEmbedding' && isStandardDomain(domain) && !input[3],
  );
  if (nodes.length === 0) return [];
  const flow = new DataFlow(graph);
  return nodes.filter(
    ({ input: [, table] }) =>
      graph.producer(table!)?.opType !== 'Expand' && flow.sources([table!], new Set()).inputs.size === 0,
  );
}
