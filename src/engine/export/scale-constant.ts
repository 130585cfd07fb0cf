/** Scaling the channels of a constant that one node reads: an initializer, or a value computed from initializers. */
import type { Decoder, Use } from '../decoder/decoder.js';
import { elementType } from '../decoder/element-type.js';
import type { NodeProto } from '../onnx/file/onnx_pb.js';
import { Operators } from '../onnx/graph/operators.js';
import { floatTensor } from '../onnx/graph/tensor.js';
import { ownInitializer } from './quantisation-scales.js';
import { requireFoldable, scaleWeight, type ChannelLayout, type WeightEdit } from './scale-weight.js';

/**
 * @param node what the constant belongs to, for messages
 * @param factors one factor for all channels, or one a channel
 * @param edits gets the change of the initializer
 * @throws UnwritableScales if the constant is not of floating-point numbers
 */
export function scaleConstant(
  decoder: Decoder,
  node: NodeProto,
  use: Use,
  factors: Float64Array,
  layout: ChannelLayout,
  edits: Map<string, WeightEdit>,
): void {
  const { graph } = decoder;
  const tensor = graph.constant(use.node.input[use.index]!);
  if (!tensor) {
    multiplyBy(decoder, use, factors);
    return;
  }
  requireFoldable(node, tensor);
  edits.set(ownInitializer(graph, tensor, use), scaleWeight(factors, layout));
}

/**
 * One more factor for what is read at a place. Where that is a constant computed from others, runtimes compute the product
 * when they load the model.
 */
export function multiplyBy(decoder: Decoder, use: Use, factors: Float64Array): void {
  const { graph } = decoder;
  const value = use.node.input[use.index]!;
  const op = new Operators(graph, `${value}.scaled`);
  const type = elementType(graph, value);
  const factor = op.constant('factors', (name) => floatTensor(name, [factors.length], factors, type));
  graph.setInput(use.node, use.index, op.mul(value, factor));
  graph.sortNodes();
}
