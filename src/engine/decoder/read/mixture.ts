/** Mixtures of experts: MLPs of which a router chooses a few for each token. */
import type { NodeProto } from '../../onnx/file/onnx_pb.js';

/** onnxruntime's operators that hold all experts of a layer. */
export const MIXTURE_OPERATORS: ReadonlySet<string> = new Set(['MoE', 'QMoE']);

/**
 * @param region the nodes of a block without attention
 * @returns the operator that holds the experts, or else the TopK that chooses among them; undefined for other MLPs
 */
export function findMixture(region: ReadonlySet<NodeProto>): NodeProto | undefined {
  const nodes = [...region];
  const holds = nodes.find((node) => node.domain === 'com.microsoft' && MIXTURE_OPERATORS.has(node.opType));
  return holds ?? nodes.find((node) => node.opType === 'TopK');
}
