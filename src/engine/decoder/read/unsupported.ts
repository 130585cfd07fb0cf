/** Graphs that are refused before they are read: by operators that no plain decoder holds. */
import { UserError } from '../../../schema/errors.js';
import { subgraphs } from '../../onnx/graph/attributes.js';
import { isStandardDomain } from '../../onnx/graph/operator-domain.js';
import { describeNode } from '../../onnx/graph/node.js';
import type { OnnxModel } from '../../onnx/file/model-file.js';
import type { GraphProto, NodeProto } from '../../onnx/file/onnx_pb.js';
import { refuseOtherKinds } from './other-kinds.js';

export const EXPORT_ADVICE =
  "export the model again as a plain decoder, for instance with Optimum and the task 'text-generation-with-past'";

/** @param quantise the QuantizeLinear that reads the stream in front of an addition or a norm */
export function roundedStream(quantise: NodeProto): UserError {
  return new UserError(
    `The model rounds the residual stream itself to integers (the ${describeNode(quantise)}), in steps that were measured on the whole model and would no longer fit one with fewer blocks; use a file in which only products with weights are quantised, or the model's float32 or float16 file.`,
  );
}

interface Refusal {
  matches(node: NodeProto): boolean;
  /** A sentence about the node, whose description is given. */
  reason(node: string): string;
}

const TRAINING_DOMAINS = new Set(['ai.onnx.training', 'ai.onnx.preview.training']);
const SEARCH_OPERATORS = new Set(['BeamSearch', 'GreedySearch', 'Sampling', 'WhisperBeamSearch']);
const OTHER_ATTENTION = new Set([
  'DecoderAttention',
  'DecoderMaskedSelfAttention',
  'DecoderMaskedMultiHeadAttention',
  'PackedAttention',
  'PackedMultiHeadAttention',
  'PagedAttention',
  'SparseAttention',
  'QAttention',
  'LongformerAttention',
]);

/** In the order in which they are tried: the first that matches any node gives the message. */
const REFUSALS: readonly Refusal[] = [
  {
    matches: (node) =>
      TRAINING_DOMAINS.has(node.domain) ||
      /Grad(_\d+)?$|^YieldOp$|^SoftmaxCrossEntropyLoss/.test(node.opType),
    reason: (node) =>
      `The model is a training graph (it holds the ${node}); Hopscotch needs the graph for inference, so ${EXPORT_ADVICE}.`,
  },
  {
    matches: (node) => SEARCH_OPERATORS.has(node.opType),
    reason: (node) =>
      `The model holds a whole text search around its decoder (the ${node}); Hopscotch needs the decoder alone, so ${EXPORT_ADVICE}.`,
  },
  {
    matches: (node) => OTHER_ATTENTION.has(node.opType) && !isStandardDomain(node.domain),
    reason: (node) => `The model's kind of attention is not supported (found the ${node}); ${EXPORT_ADVICE}.`,
  },
];

/** @throws UserError if the model holds operators that no plain decoder has, naming the first such node */
export function refuseUnsupported(model: OnnxModel): void {
  for (const refusal of REFUSALS) {
    const node = model.graph.node.find((candidate) => refusal.matches(candidate));
    if (node) throw new UserError(refusal.reason(describeNode(node)));
  }
  refuseOtherKinds(model);
  const wrapper = model.graph.node.find((node) => subgraphs(node).some(holdsLayers));
  if (wrapper) {
    throw new UserError(
      `The model holds its decoder inside the ${describeNode(wrapper)}, as merged decoders do; this is not supported yet, so export the decoder that takes past keys and values without merging.`,
    );
  }
}

function holdsLayers(graph: GraphProto): boolean {
  return graph.node.some(
    (node) =>
      ['MatMul', 'Gemm', 'Softmax', 'MatMulNBits'].includes(node.opType) || subgraphs(node).some(holdsLayers),
  );
}
