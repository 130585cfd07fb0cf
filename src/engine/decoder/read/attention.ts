/**
 * Attention inside a block: one operator, or the product of queries and keys, the Softmax and the product with the
 * values.
 */
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import type { DataFlow } from './data-flow.js';
import { fusedAttention, type FusedAttention } from './fused-attention.js';

export interface Attention {
  /** Values that the keys come from; queries may be among them. */
  keys: readonly string[];
  /** Values that the values come from. */
  values: readonly string[];
  /** The node, where one operator is the whole attention. */
  fused: { node: NodeProto; operator: FusedAttention } | undefined;
}

const MATRIX_PRODUCTS = new Set(['MatMul', 'FusedMatMul', 'Einsum', 'Gemm']);

/**
 * @param region the nodes of a block that depend on the residual stream
 * @returns undefined if there is neither an attention operator nor a Softmax over products of activations; a router's
 *   Softmax over products with a weight (mixture of experts) is not attention
 */
export function findAttention(flow: DataFlow, region: ReadonlySet<NodeProto>): Attention | undefined {
  for (const node of region) {
    const operator = fusedAttention(node);
    if (operator) return fromOperator(node, operator);
    if (node.opType !== 'Softmax') continue;
    const scores = productBefore(flow, node, region);
    const values = valuesAfter(flow, node, region);
    if (scores && values !== undefined) return { keys: scores.input, values: [values], fused: undefined };
  }
  return undefined;
}

function fromOperator(node: NodeProto, operator: FusedAttention): Attention {
  const given = (indices: number[]) => indices.flatMap((index) => node.input[index] || []);
  return {
    keys: given([operator.queries, operator.keys]),
    values: given([operator.queries, operator.values]),
    fused: { node, operator },
  };
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

/** The other factor of the product with the Softmax's result. */
function valuesAfter(flow: DataFlow, softmax: NodeProto, region: ReadonlySet<NodeProto>): string | undefined {
  const queue = [softmax.output[0]!];
  const seen = new Set<NodeProto>();
  for (let value = queue.shift(); value !== undefined; value = queue.shift()) {
    for (const node of flow.readers(value)) {
      if (!region.has(node) || seen.has(node)) continue;
      seen.add(node);
      if (isActivationProduct(flow, node)) return node.input[node.input[0] === value ? 1 : 0];
      if (!MATRIX_PRODUCTS.has(node.opType)) queue.push(...node.output);
    }
  }
  return undefined;
}
