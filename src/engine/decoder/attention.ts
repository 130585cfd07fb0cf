/** Attention inside a branch: the product of queries and keys, the Softmax, the product with the values. */
import type { NodeProto } from '../onnx/onnx_pb.js';
import type { DataFlow } from './data-flow.js';

export interface Attention {
  /** The matrix product of queries and keys. */
  scores: NodeProto;
  softmax: NodeProto;
  /** The matrix product of the Softmax's result and the values. */
  context: NodeProto;
  /** Which input of `context` the values are. */
  valuesIndex: number;
}

const MATRIX_PRODUCTS = new Set(['MatMul', 'FusedMatMul', 'Einsum', 'Gemm']);

/**
 * @param region the nodes of a branch that depend on the residual stream
 * @returns undefined if there is no Softmax over products of activations; a router's Softmax over products with a
 *   weight (mixture of experts) is not attention
 */
export function findAttention(flow: DataFlow, region: ReadonlySet<NodeProto>): Attention | undefined {
  for (const softmax of region) {
    if (softmax.opType !== 'Softmax') continue;
    const scores = productBefore(flow, softmax, region);
    const context = productAfter(flow, softmax, region);
    if (scores && context) return { scores, softmax, ...context };
  }
  return undefined;
}

/** A matrix product of two values that both change from run to run. */
function isActivationProduct(flow: DataFlow, node: NodeProto): boolean {
  return MATRIX_PRODUCTS.has(node.opType) && node.input.slice(0, 2).every((value) => !flow.isConstant(value));
}

function productBefore(
  flow: DataFlow,
  softmax: NodeProto,
  region: ReadonlySet<NodeProto>,
): NodeProto | undefined {
  const queue = [softmax.input[0]!];
  const seen = new Set<NodeProto>();
  for (let value = queue.shift(); value !== undefined; value = queue.shift()) {
    const node = flow.graph.producer(value);
    if (!node || !region.has(node) || seen.has(node)) continue;
    seen.add(node);
    if (isActivationProduct(flow, node)) return node;
    if (!MATRIX_PRODUCTS.has(node.opType)) queue.push(...node.input);
  }
  return undefined;
}

function productAfter(
  flow: DataFlow,
  softmax: NodeProto,
  region: ReadonlySet<NodeProto>,
): { context: NodeProto; valuesIndex: number } | undefined {
  const queue = [softmax.output[0]!];
  const seen = new Set<NodeProto>();
  for (let value = queue.shift(); value !== undefined; value = queue.shift()) {
    for (const node of flow.readers(value)) {
      if (!region.has(node) || seen.has(node)) continue;
      seen.add(node);
      if (isActivationProduct(flow, node))
        return { context: node, valuesIndex: node.input[0] === value ? 1 : 0 };
      if (!MATRIX_PRODUCTS.has(node.opType)) queue.push(...node.output);
    }
  }
  return undefined;
}
