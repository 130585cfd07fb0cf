/** From the neurons' places in what a node gives to those in what it reads: for nodes that work on each neuron by itself. */
import { isRenaming, type DataFlow } from '../../decoder/read/data-flow.js';
import type { Use } from '../../decoder/decoder.js';
import { intAttribute, intsAttribute } from '../../onnx/graph/attributes.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { elementCount, tensorDims } from '../../onnx/graph/tensor.js';
import { isElementwise } from '../../decoder/read/elementwise-operators.js';
import type { NeuronPlaces } from './neuron-places.js';
import { alongAxis, isProduct, productConstants } from './product-constants.js';

/** @throws UnknownForm if the node does something else */
export function passNode(places: NeuronPlaces, node: NodeProto): void {
  if (node.opType === 'Split') passSplit(places, node);
  else if (node.opType === 'Slice') passSlice(places, node);
  else if (node.opType === 'Reshape') passReshape(places, node);
  else if (isElementwise(node)) passElementwise(places, node);
  else throw places.otherwise(node);
}

function passElementwise(places: NeuronPlaces, node: NodeProto): void {
  const { flow } = places;
  const [output] = node.output as [string];
  const own = places.of(output);
  node.input.forEach((value, index) => {
    if (value === '') return;
    if (!flow.isConstant(value)) {
      places.add(value, own);
      return;
    }
    const tensor = flow.constantBehind(value);
    const dims = tensor && tensorDims(tensor);
    if (dims && elementCount(dims) === 1) return;
    const use = throughCasts(flow, { node, index });
    if (!tensor || !use || dims!.at(-1) !== own.size) throw places.otherwise(node);
    places.addConstant(alongAxis(use, tensor, dims!.length - 1), output);
  });
}

/** Where a constant itself is read, if it goes through Casts alone, and to no other reader. */
function throughCasts(flow: DataFlow, first: Use): Use | undefined {
  let use = first;
  for (;;) {
    const value = use.node.input[use.index]!;
    if (flow.graph.constant(value)) return use;
    const node = flow.graph.producer(value);
    if (!node || !isRenaming(node) || flow.graph.consumers(value).length > 1) return undefined;
    use = { node, index: 0 };
  }
}

/** Split: input, sizes (an attribute before operator set 13); without sizes, into equal parts (ONNX specification). */
function passSplit(places: NeuronPlaces, node: NodeProto): void {
  const [source] = node.input as [string];
  const equal = places.of(node.output.find((value) => places.has(value))!).size;
  const listed = node.input[1] ? places.integers({ node, index: 1 }) : intsAttribute(node, 'split');
  if (node.input[1] && !listed) throw places.otherwise(node);
  const sizes = listed ?? node.output.map(() => equal);
  if (sizes.length !== node.output.length || !isLastAxis(intAttribute(node, 'axis', 0)))
    throw places.otherwise(node);
  const size = sizes.reduce((sum, part) => sum + part, 0);
  let to = 0;
  node.output.forEach((value, index) => {
    const from = to;
    to += sizes[index]!;
    if (node.input[1]) places.addCount({ use: { node, index: 1 }, index }, source, from, to);
    else if (listed) places.addCount({ node, attribute: 'split', index }, source, from, to);
    else if (!places.has(value) || places.of(value).starts.length !== 1) throw places.otherwise(node);
    if (!places.has(value)) return;
    const own = places.of(value);
    if (own.size !== sizes[index]) throw places.otherwise(node);
    places.add(source, { size, starts: own.starts.map((start) => from + start) });
  });
}

/** Slice: input, starts, ends, axes, steps (ONNX specification). */
function passSlice(places: NeuronPlaces, node: NodeProto): void {
  const [source] = node.input as [string];
  const own = places.of(node.output[0]!);
  const [starts, ends, axes, steps] = [1, 2, 3, 4].map((index) => places.integers({ node, index }));
  const size = channelsOf(places.flow, source);
  const isPlain = [starts, ends, axes].every((list) => list?.length === 1) && (steps?.[0] ?? 1) === 1;
  if (!isPlain || size === undefined || !isLastAxis(axes![0]!)) throw places.otherwise(node);
  const place = (at: number) => Math.min(size, at < 0 ? Math.max(0, size + at) : at);
  const [from, to] = [place(starts![0]!), place(ends![0]!)];
  if (to - from !== own.size) throw places.otherwise(node);
  places.add(source, { size, starts: own.starts.map((start) => from + start) });
  const count = (index: number, end: number) =>
    places.addCount({ use: { node, index }, index: 0 }, source, 0, end);
  count(1, from);
  // 'To the end' is any large number.
  if (ends![0]! <= size) count(2, to);
}

/** The number of channels of a value that a product makes. */
function channelsOf(flow: DataFlow, value: string): number | undefined {
  let name = value;
  for (;;) {
    const node = flow.graph.producer(name);
    if (!node) return undefined;
    if (isProduct(flow, node)) return productConstants(flow, node)?.outputs.channels;
    const next = node.input.find((input) => input !== '' && !flow.isConstant(input));
    if (next === undefined || !(isElementwise(node) || node.opType === 'Reshape')) return undefined;
    name = next;
  }
}

/** The neurons' axis is the last of three; of two where positions and rows are one axis, and nothing is split there. */
function isLastAxis(axis: number): boolean {
  return axis === -1 || axis === 2;
}

/** Reshape, whose last axis stays: the shape says how long it is, or computes it. */
function passReshape(places: NeuronPlaces, node: NodeProto): void {
  const { flow } = places;
  const [output] = node.output as [string];
  const own = places.of(output);
  places.add(node.input[0]!, own);
  let use: Use = { node, index: 1 };
  for (;;) {
    const value = use.node.input[use.index]!;
    const integers = places.integers(use);
    if (integers) {
      const size = integers.at(-1);
      if (size === own.size) places.addCount({ use, index: integers.length - 1 }, output, 0, size);
      else if (size !== -1) throw places.otherwise(node);
      return;
    }
    const producer = flow.graph.producer(value);
    if (producer?.opType === 'Concat') use = { node: producer, index: producer.input.length - 1 };
    else if (!flow.isConstant(value)) {
      places.addSize(value);
      return;
    } else if (producer && isRenaming(producer)) use = { node: producer, index: 0 };
    else throw places.otherwise(node);
    const isOwn = flow.graph.consumers(value).length === 1;
    // A constant in what other nodes read as well would change for them.
    if (!isOwn && flow.isConstant(use.node.input[use.index]!)) throw places.otherwise(node);
  }
}
