/**
 * Attention inside a block: one operator, or the product of queries and keys, the Softmax and the product with the
 * values.
 */
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { walk } from '../../onnx/graph/walk.js';
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
  const inRegion = (value: string) => {
    const node = flow.graph.producer(value);
    return node && region.has(node) ? node : undefined;
  };
  const before = walk([softmax.input[0]!], (value) => {
    const node = inRegion(value);
    return node && !MATRIX_PRODUCTS.has(node.opType) ? node.input : [];
  });
  for (const value of before) {
    const node = inRegion(value);
    if (node && isActivationProduct(flow, node)) return node;
  }
  return undefined;
}

/** The other factor of the product with the Softmax's result. */
function valuesAfter(flow: DataFlow, softmax: NodeProto, region: ReadonlySet<NodeProto>): string | undefined {
  const readersOf = (value: string) => flow.readers(value).filter((node) => region.has(node));
  const after = walk([softmax.output[0]!], (value) =>
    readersOf(value).flatMap((node) => (MATRIX_PRODUCTS.has(node.opType) ? [] : node.output)),
  );
  for (const value of after) {
    const product = readersOf(value).find((node) => isActivationProduct(flow, node));
    if (product) return product.input[product.input[0] === value ? 1 : 0];
  }
  return undefined;
}
