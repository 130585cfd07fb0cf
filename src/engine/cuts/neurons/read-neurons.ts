/**
 * Finds the neurons of a decoder's MLPs by data flow: from what an MLP's last product reads back through activations, biases
 * and splits to the products that make it.
 */
import type { BlockName } from '../../../schema/blocks.js';
import { DataFlow, readsShapeOnly } from '../../decoder/read/data-flow.js';
import { blockName, blocksOf, type Block, type Decoder } from '../../decoder/decoder.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { describeNode } from '../../onnx/graph/node.js';
import { reach } from '../../onnx/graph/walk.js';
import { NeuronPlaces, UnknownForm } from './neuron-places.js';
import type { Neurons } from './neurons.js';
import { passNode } from './pass-operators.js';
import { isProduct, productConstants, type ProductConstants } from './product-constants.js';

export interface NeuronsRead {
  /** Of each MLP, in the order of the layers. */
  neurons: Neurons[];
  /** MLPs whose neurons cannot be removed, and why, in words that follow 'because'. */
  problems: ReadonlyMap<BlockName, string>;
}

export function readNeurons(decoder: Decoder): NeuronsRead {
  const flow = new DataFlow(decoder.graph);
  const neurons: Neurons[] = [];
  const problems = new Map<BlockName, string>();
  for (const block of blocksOf(decoder)) {
    if (block.kind !== 'mlp') continue;
    try {
      neurons.push(neuronsOf(new NeuronPlaces(flow, decoder.model.folder), block));
    } catch (error) {
      if (!(error instanceof UnknownForm)) throw error;
      problems.set(blockName(block), error.message);
    }
  }
  return { neurons, problems };
}

function neuronsOf(places: NeuronPlaces, block: Block): Neurons {
  if (block.mixture) throw new UnknownForm('it is a mixture of experts');
  const { flow } = places;
  const nodes = flow.graph.nodes.filter((node) => block.nodes.has(node));
  const last = knownProduct(flow, lastProduct(flow, nodes));
  if (last.inputProblem !== undefined) throw new UnknownForm(last.inputProblem);
  const [activation] = last.node.input as [string];
  const width = last.inputs.channels;
  places.add(activation, { size: width, starts: [0] });
  places.addSide(last.inputs, last.node, activation);
  const first: ProductConstants[] = [];
  // Each comes after those that it reads from: all readers of a value are met before the node that makes it.
  for (const node of nodes.toReversed()) {
    const made = node === last.node ? undefined : node.output.find((value) => places.has(value));
    if (made === undefined) continue;
    if (!isProduct(flow, node)) {
      passNode(places, node);
      continue;
    }
    const product = knownProduct(flow, node);
    if (product.outputs.channels !== places.of(made).size) throw places.otherwise(node);
    places.addSide(product.outputs, node, made);
    first.push(product);
  }
  requireAlone(places, block, last.node);
  places.requireOwnSizes();
  const { constants, counts } = places;
  return {
    block: blockName(block),
    layer: block.layer,
    width,
    together: last.inputBlock,
    last,
    first,
    constants,
    counts,
  };
}

/** The product behind which none follows. */
function lastProduct(flow: DataFlow, nodes: readonly NodeProto[]): NodeProto {
  const own = new Set(nodes);
  const products = nodes.filter((node) => isProduct(flow, node));
  const readers = (node: NodeProto) =>
    node.output.flatMap((value) => flow.readers(value)).filter((reader) => own.has(reader));
  const last = products.filter((node) => {
    const behind = reach(readers(node), readers);
    return !products.some((other) => behind.has(other));
  });
  if (last.length !== 1) throw new UnknownForm('it does not end in one product with a weight');
  return last[0]!;
}

function knownProduct(flow: DataFlow, node: NodeProto): ProductConstants {
  const product = productConstants(flow, node);
  if (!product)
    throw new UnknownForm(`the ${describeNode(node)} has its weight in a form that cannot be cut`);
  return product;
}

/** @throws UnknownForm if a value that has the neurons is made or read outside of what was followed */
function requireAlone(places: NeuronPlaces, block: Block, last: NodeProto): void {
  const { graph } = places.flow;
  for (const value of places.values) {
    const maker = graph.producer(value);
    if (!maker || !block.nodes.has(maker) || graph.isOutput(value)) throw places.otherwise(maker);
    const other = graph
      .consumers(value)
      .find(
        (node) =>
          node !== last &&
          !node.output.some((output) => places.has(output)) &&
          !(readsShapeOnly(node) && block.nodes.has(node)),
      );
    if (other) throw places.otherwise(other);
  }
}
