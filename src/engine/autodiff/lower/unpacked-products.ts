/**
 * Products with numbers of a few bits as products with floats, for graphs whose weights are made floats once and not in
 * every run (loss/decoded-weights.ts).
 */
import { isStandardDomain } from '../../onnx/graph/operator-domain.js';
import type { Graph } from '../../onnx/graph/graph.js';
import { Operators } from '../../onnx/graph/operators.js';
import { unpackedWeight } from '../unpacked-weight.js';

/** @throws UserError if a weight is held in a form that has no gradient rule */
export function unpackProducts(graph: Graph): void {
  const op = new Operators(graph, 'unpacked');
  const products = graph.nodes.filter(
    ({ opType, domain }) => opType === 'MatMulNBits' && !isStandardDomain(domain),
  );
  for (const node of products) {
    const [output] = node.output as [string];
    op.enter(`unpacked/${node.name || output}`);
    const weight = unpackedWeight(op, node, (value) => graph.constant(value));
    const product = op.matMul(node.input[0]!, op.transpose(weight, [1, 0]));
    const result = node.input[5] ? op.add(product, node.input[5]) : product;
    graph.removeNodes(new Set([node]));
    op.name(result, output);
  }
  graph.sortNodes();
}
