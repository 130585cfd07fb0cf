/** Constants that are changed for one reader alone: copies where others read them too, one scale spread over channels. */
import type { Decoder, Projection, Use } from '../decoder/decoder.js';
import { setAttribute } from '../onnx/graph/attributes.js';
import type { Graph } from '../onnx/graph/graph.js';
import type { TensorProto } from '../onnx/file/onnx_pb.js';
import { byteLength, elementBits } from '../onnx/graph/data-types.js';
import { elementCount, tensorBytes, tensorDims, tensorFromBytes } from '../onnx/graph/tensor.js';

/** The name of an initializer that only this use reads: the one that is read now, or a copy where others read it too. */
export function ownInitializer(graph: Graph, tensor: TensorProto, use: Use): string {
  const value = use.node.input[use.index]!;
  const isAlone = graph.initializer(value) !== undefined && graph.consumers(value).length === 1;
  const readsOnce = use.node.input.filter((input) => input === value).length === 1;
  if (isAlone && readsOnce) return value;
  const name = graph.freshName(`${value}.scaled`);
  graph.addInitializer(
    Object.assign(Object.create(Object.getPrototypeOf(tensor) as object), tensor, { name }),
  );
  graph.setInput(use.node, use.index, name);
  return name;
}

/**
 * Where a quantised weight has one scale, and each channel is to have its own: repeats the scale and its zero point, so
 * that the quantised numbers themselves stay.
 */
export function spreadOverChannels(decoder: Decoder, projection: Projection, factors: Float64Array): void {
  const { graph } = decoder;
  const { weightUse, channels, quantised } = projection;
  const scale = graph.constant(weightUse.node.input[weightUse.index]!);
  if (!scale || factors.length === 1 || elementCount(tensorDims(scale)) !== 1 || channels === 1) return;
  repeat(decoder, weightUse, channels);
  if (quantised?.zeroPoint) repeat(decoder, quantised.zeroPoint, channels);
  if (quantised?.channelAxis) setAttribute(quantised.channelAxis.node, 'axis', quantised.channelAxis.axis);
}

function repeat({ graph, model }: Decoder, use: Use, count: number): void {
  const value = use.node.input[use.index]!;
  const tensor = graph.constant(value)!;
  const one = tensorBytes(tensor, model.folder);
  const bytes = new Uint8Array(byteLength(tensor.dataType, count));
  // Types of four bits have two elements a byte.
  if (elementBits(tensor.dataType) === 4) bytes.fill((one[0]! & 15) * 17);
  else for (let index = 0; index < count; index += 1) bytes.set(one, index * one.length);
  const name = graph.freshName(`${value}.repeated`);
  graph.addInitializer(tensorFromBytes(name, tensor.dataType, [count], bytes));
  graph.setInput(use.node, use.index, name);
}
