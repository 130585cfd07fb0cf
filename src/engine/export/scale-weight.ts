/** Multiplying a weight's output channels, in the weight's own precision. */
import { dataTypeName, isFloatingPoint } from '../onnx/graph/data-types.js';
import { describeNode } from '../onnx/graph/node.js';
import type { NodeProto, TensorProto } from '../onnx/file/onnx_pb.js';
import { floatTensor, tensorDims, tensorToFloat32 } from '../onnx/graph/tensor.js';
import { UnwritableScales } from './unwritable-scales.js';

/** A change of one initializer, made when its bytes are written. */
export type WeightEdit = (tensor: TensorProto, folder: string | undefined) => TensorProto;

export interface ChannelLayout {
  /** Number of output channels. */
  channels: number;
  /** Whether the output channel is the first axis of the tensor instead of its last. */
  outputChannelFirst: boolean;
}

/**
 * @param factors one factor for all channels, or one an output channel
 * @throws RangeError if the tensor is not a floating-point one
 */
export function scaleWeight(factors: Float64Array, layout: ChannelLayout): WeightEdit {
  const { channels, outputChannelFirst } = layout;
  return (tensor, folder) => {
    const values = tensorToFloat32(tensor, folder);
    const inner = outputChannelFirst ? values.length / channels : 1;
    for (let i = 0; i < values.length; i += 1) {
      const channel = Math.floor(i / inner) % channels;
      values[i] = values[i]! * factors[factors.length === 1 ? 0 : channel]!;
    }
    return floatTensor(tensor.name, tensorDims(tensor), values, tensor.dataType);
  };
}

/** @throws UnwritableScales if scales cannot be folded into this constant of a norm or projection */
export function requireFoldable(node: NodeProto, weight: TensorProto | undefined): TensorProto {
  if (!weight || !isFloatingPoint(weight.dataType)) {
    const what = weight ? dataTypeName(weight.dataType) : 'no constant';
    throw new UnwritableScales(
      `The scales cannot be folded into the ${describeNode(node)}, whose weight is ${what}`,
      'export with explicit scales instead',
    );
  }
  return weight;
}
