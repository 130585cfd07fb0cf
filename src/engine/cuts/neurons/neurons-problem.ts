/** Told without work: whether a model's MLPs can lose neurons, and what that saves. */
import type { WeightTotals } from '../../../schema/blocks.js';
import type { Decoder } from '../../decoder/decoder.js';
import { byteLength } from '../../onnx/graph/data-types.js';
import { elementCount, tensorByteLength } from '../../onnx/graph/tensor.js';
import { keptDims } from './keep-channels.js';
import { roundedWidth } from './plan-neurons.js';
import type { Neurons } from './neurons.js';
import { readNeurons } from './read-neurons.js';

/** Why no neurons can be removed from the model, in one sentence; undefined if they can from some MLPs. */
export function neuronsProblem(decoder: Decoder): string | undefined {
  const { neurons, problems } = readNeurons(decoder);
  if (neurons.length > 0) return undefined;
  const [first] = problems;
  if (!first) return 'The model has no MLPs whose neurons could be removed; leave this cut out.';
  return `The neurons of the block '${first[0]}' cannot be removed, because ${first[1]}; leave this cut out.`;
}

export interface NeuronsSavings extends WeightTotals {
  /** Neurons of all MLPs, and those that go. */
  neurons: number;
  removed: number;
}

/** What goes with a share of the neurons, the same in each layer. Layers that lose different parts save about as much. */
export function neuronsSavings(decoder: Decoder, share: number): NeuronsSavings {
  const total = { neurons: 0, removed: 0, bytes: 0, parameters: 0 };
  for (const neurons of readNeurons(decoder).neurons) {
    const kept = roundedWidth(neurons, neurons.width * (1 - share));
    const removed = neurons.width - kept;
    total.neurons += neurons.width;
    total.removed += removed;
    total.bytes += savedBytes(decoder, neurons, removed);
    total.parameters += removed * weightsPerNeuron(neurons);
  }
  return total;
}

function savedBytes({ graph }: Decoder, { constants }: Neurons, removed: number): number {
  return constants.reduce((bytes, { constant, places }) => {
    const tensor = graph.constant(constant.use.node.input[constant.use.index]!)!;
    const kept = places.size - places.starts.length * removed;
    const dims = keptDims(constant, tensor, Math.ceil(kept / constant.channels));
    return bytes + tensorByteLength(tensor) - byteLength(tensor.dataType, elementCount(dims));
  }, 0);
}

/** In the weights of the products that make it and that read it. */
function weightsPerNeuron({ first, last, width }: Neurons): number {
  // A product that makes gate and value has two outputs a neuron.
  const inputs = first.map(
    (product) => product.inputs.channels * Math.round(product.outputs.channels / width),
  );
  return inputs.reduce((sum, own) => sum + own, last.outputs.channels);
}
