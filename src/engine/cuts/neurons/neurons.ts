/** The neurons of an MLP: the channels that its last product reads, and what of the graph goes with their number. */
import type { BlockName } from '../../../schema/blocks.js';
import type { Use } from '../../decoder/decoder.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import type { AxisConstant, ProductConstants } from './product-constants.js';

/** Where a value's last axis has the neurons: `size` channels, neuron j at each of `starts` + j. */
export interface Places {
  size: number;
  starts: readonly number[];
}

/** An integer of the graph that is the number of channels from `from` to `to` of a value's last axis. */
export interface Count {
  at: { node: NodeProto; attribute: string; index?: number } | { use: Use; index: number };
  places: Places;
  from: number;
  to: number;
}

export interface Neurons {
  block: BlockName;
  layer: number;
  width: number;
  /** So many neurons that follow each other can only go together: a block of the last product's quantised weight. */
  together: number;
  /** The product that reads them. */
  last: ProductConstants;
  /** The products that make them. */
  first: readonly ProductConstants[];
  constants: readonly { constant: AxisConstant; places: Places }[];
  counts: readonly Count[];
}
