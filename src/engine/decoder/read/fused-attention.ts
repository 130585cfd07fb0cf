/** Operators that are a whole attention: which inputs and outputs are what (operator specifications of each). */
import type { Graph } from '../../onnx/graph/graph.js';
import { isStandardDomain } from '../../onnx/graph/operator-domain.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';

export interface FusedAttention {
  /** Inputs that queries, keys and values are made of, the cache left out. */
  queries: number;
  /** Input that keys are made of: that of the queries where one input holds all three, or may. */
  keys: number;
  values: number;
  /** Inputs and outputs of the cache: keys and values, or one for both. */
  past: readonly number[];
  present: readonly number[];
  /** Input with position ids. */
  positions?: number;
}

const MICROSOFT: Readonly<Record<string, FusedAttention>> = {
  GroupQueryAttention: { queries: 0, keys: 1, values: 2, past: [3, 4], present: [1, 2], positions: 9 },
  MultiHeadAttention: { queries: 0, keys: 1, values: 2, past: [6, 7], present: [1, 2] },
  Attention: { queries: 0, keys: 0, values: 0, past: [4], present: [1] },
};

const STANDARD: Readonly<Record<string, FusedAttention>> = {
  Attention: { queries: 0, keys: 1, values: 2, past: [4, 5], present: [1, 2] },
};

/** What is known of the node's operator, or undefined if it is no attention. */
export function fusedAttention(node: NodeProto): FusedAttention | undefined {
  if (node.domain === 'com.microsoft') return MICROSOFT[node.opType];
  return isStandardDomain(node.domain) ? STANDARD[node.opType] : undefined;
}

/**
 * Whether several rows can be fed several tokens each beside a cache. onnxruntime's GroupQueryAttention refuses that: one
 * row of several tokens, or several rows of one.
 */
export function readsRowsBesideCache(graph: Graph): boolean {
  return !graph.nodes.some(
    ({ domain, opType }) => domain === 'com.microsoft' && opType === 'GroupQueryAttention',
  );
}

/**
 * Takes the past away from all attention operators, for graphs that only see whole sequences. onnxruntime may otherwise
 * write the keys and values into the memory of the empty past, once they are no outputs of the graph.
 */
export function forgetPast(graph: Graph): void {
  for (const node of graph.nodes) {
    for (const index of fusedAttention(node)?.past ?? []) {
      if (node.input[index]) graph.setInput(node, index, '');
    }
  }
}
