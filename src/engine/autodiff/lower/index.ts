/** All lowerings by operator, and their application to a graph. A new lowering is added to the list here. */
import { Graph } from '../../onnx/graph/graph.js';
import { operatorKey } from '../../onnx/graph/operator-domain.js';
import { Operators } from '../../onnx/graph/operators.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { isDifferentiable } from '../float-types.js';
import type { ValueTypes } from '../value-types.js';
import { unsupported } from '../unsupported.js';
import { causalConvolutionWithState, depthwiseConvolution } from './depthwise-convolution.js';
import { fastGelu } from './fast-gelu.js';
import { fusedMatMul } from './fused-mat-mul.js';
import { biasGelu, gelu } from './gelu.js';
import { groupQueryAttention } from './group-query-attention.js';
import {
  dequantizeLinear,
  dynamicQuantizeLinear,
  dynamicQuantizeMatMul,
  matMulInteger,
  matMulIntegerToFloat,
} from './integer-products.js';
import type { Lowering, LoweringContext } from './lowering.js';
import { moe, quantisedMoe } from './mixture-of-experts.js';
import { multiHeadAttention } from './multi-head-attention.js';
import { packedAttention } from './packed-attention.js';
import { quickGelu } from './quick-gelu.js';
import { rotaryEmbedding, standardRotaryEmbedding } from './rotary-embedding.js';
import { standardAttention } from './standard-attention.js';

export const lowerings: readonly Lowering[] = [
  biasGelu,
  causalConvolutionWithState,
  depthwiseConvolution,
  dequantizeLinear,
  dynamicQuantizeLinear,
  dynamicQuantizeMatMul,
  fastGelu,
  fusedMatMul,
  gelu,
  groupQueryAttention,
  matMulInteger,
  matMulIntegerToFloat,
  moe,
  multiHeadAttention,
  packedAttention,
  quantisedMoe,
  quickGelu,
  rotaryEmbedding,
  standardAttention,
  standardRotaryEmbedding,
];

const byOperator = new Map(
  lowerings.map((lowering) => [operatorKey(lowering.domain ?? 'com.microsoft', lowering.operator), lowering]),
);

export function findLowering(node: NodeProto): Lowering | undefined {
  return byOperator.get(operatorKey(node.domain, node.opType));
}

/**
 * Replaces every node that has a lowering by primitive operators. Cached keys and values must be empty in every run of
 * the graph from then on.
 * @param types types of all values of the graph as it is, whose floats are float32
 * @throws UserError if a node's form has no lowering, naming the node
 */
export function lowerOperators(graph: Graph, types: ValueTypes): void {
  const known = new Map(types);
  const op = new Operators(graph, 'lowered');
  const made = new Map<string, string>();
  for (const node of graph.nodes.filter((candidate) => findLowering(candidate))) {
    op.enter(`lowered/${node.name || node.output[0]}`);
    const context = contextOf(graph, node, { op, types: known, made });
    const results = findLowering(node)!.lower(context);
    if (!results) continue;
    graph.removeNodes(new Set([node]));
    results.forEach((value, index) => {
      const output = node.output[index];
      if (!output || value === undefined) return;
      if (!known.has(value)) known.set(value, known.get(output)!);
      graph.replaceUses(output, value);
      if (graph.isOutput(output)) op.name(op.identity(value), output);
    });
  }
  graph.removeUnused();
  graph.sortNodes();
}

interface Lowered {
  op: Operators;
  types: ValueTypes;
  made: Map<string, string>;
}

function contextOf(graph: Graph, node: NodeProto, lowered: Lowered): LoweringContext {
  const { op, types, made } = lowered;
  const typeOf = (value: string) => {
    const type = types.get(value);
    if (!type) throw new RangeError(`The type of the value '${value}' is not known`);
    return type;
  };
  const refuse = (reason: string): never => {
    throw unsupported(node, reason);
  };
  return {
    node,
    op,
    input: (index) => node.input[index] || undefined,
    shape: (value) => typeOf(value).shape,
    elementType: (value) => typeOf(value).type,
    isFloat: (value) => isDifferentiable(typeOf(value).type),
    fixedDim: (value, axis) => typeOf(value).shape[axis] ?? refuse(`the size of '${value}' varies`),
    producer: (value) => graph.producer(value),
    constant: (value) => graph.constant(value),
    shared(name, make) {
      let value = made.get(name);
      if (value === undefined) made.set(name, (value = make()));
      return value;
    },
    refuse,
  };
}
