/**
 * The neurons of a decoder's MLPs: the channels that an MLP's last product reads. They are followed back by data flow through
 * activations, biases and splits to the products that make them, and what goes with their number on the way is noted.
 */
import { DataFlow, isRenaming, readsShapeOnly } from '../../decoder/read/data-flow.js';
import { blockName, blocksOf, type Block, type Decoder, type Use } from '../../decoder/decoder.js';
import { intAttribute, intsAttribute } from '../../onnx/graph/attributes.js';
import type { BlockName } from '../../../schema/blocks.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { describeNode } from '../../onnx/graph/node.js';
import { elementCount, tensorDims, tensorToIntegers } from '../../onnx/graph/tensor.js';
import { ELEMENTWISE_OPERATORS } from './elementwise-operators.js';
import {
  alongAxis,
  isProduct,
  productConstants,
  type AxisConstant,
  type ProductConstants,
} from './product-constants.js';

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

/** Why an MLP's neurons cannot be removed; the words follow 'because'. */
class Unknown extends Error {}

export interface NeuronsRead {
  neurons: Neurons[];
  /** MLPs that stay as they are, and why: 'because ...'. */
  problems: ReadonlyMap<BlockName, string>;
}

export function readNeurons(decoder: Decoder): NeuronsRead {
  const flow = new DataFlow(decoder.graph);
  const neurons: Neurons[] = [];
  const problems = new Map<BlockName, string>();
  for (const block of blocksOf(decoder)) {
    if (block.kind !== 'mlp') continue;
    try {
      neurons.push(new NeuronReader(decoder, flow, block).read());
    } catch (error) {
      if (!(error instanceof Unknown)) throw error;
      problems.set(blockName(block), error.message);
    }
  }
  return { neurons, problems };
}

/** The places are those in a value, which are complete once all that read the value were met. */
type InValue<T> = Omit<T, 'places'> & { value: string };

class NeuronReader {
  readonly #places = new Map<string, Places>();
  readonly #constants: InValue<Neurons['constants'][number]>[] = [];
  readonly #counts: InValue<Count>[] = [];
  readonly #first: ProductConstants[] = [];
  /** Values that say how many channels there are, computed from shapes. */
  readonly #sizes: string[] = [];

  constructor(
    readonly decoder: Decoder,
    readonly flow: DataFlow,
    readonly block: Block,
  ) {}

  read(): Neurons {
    const { block, flow } = this;
    if (block.mixture) throw new Unknown('it is a mixture of experts');
    const nodes = flow.graph.nodes.filter((node) => block.nodes.has(node));
    const last = this.#known(this.#lastProduct(nodes));
    if (last.inputProblem !== undefined) throw new Unknown(last.inputProblem);
    const width = last.inputs.channels;
    this.#follow(last.node.input[0]!, { size: width, starts: [0] });
    this.#take(last.inputs, last.node, last.node.input[0]!);
    // Each comes after those that it reads from, so that all readers of a value were met before the node that makes it.
    for (const node of nodes.toReversed()) {
      if (node !== last.node && node.output.some((value) => this.#places.has(value))) this.#pass(node);
    }
    if (this.#first.length === 0) throw new Unknown('no product was found that makes them');
    this.#requireOnlyReaders(last.node);
    for (const value of this.#sizes) this.#requireOwnSize(value);
    return {
      block: blockName(block),
      layer: block.layer,
      width,
      together: last.inputBlock,
      last,
      first: this.#first,
      constants: this.#constants.map((entry) => this.#placed(entry)),
      counts: this.#counts.map((entry) => this.#placed(entry)),
    };
  }

  #placed<T extends object>({
    value,
    ...rest
  }: T & { value: string }): Omit<T, 'value'> & { places: Places } {
    return { ...rest, places: this.#places.get(value)! };
  }

  /** The product behind which none follows. */
  #lastProduct(nodes: readonly NodeProto[]): NodeProto {
    const products = nodes.filter((node) => isProduct(this.flow, node));
    const last = products.filter((node) => {
      const behind = this.flow.dependents(node.output);
      return !products.some((other) => other !== node && behind.has(other));
    });
    if (last.length !== 1) throw new Unknown('it does not end in one product with a weight');
    return last[0]!;
  }

  #known(node: NodeProto): ProductConstants {
    const known = productConstants(this.flow, node);
    if (!known) throw new Unknown(`the ${describeNode(node)} has its weight in a form that cannot be cut`);
    return known;
  }

  #follow(value: string, places: Places): void {
    const before = this.#places.get(value);
    if (before && before.size !== places.size) throw this.#otherwise(this.flow.graph.producer(value));
    const starts = new Set([...(before?.starts ?? []), ...places.starts]);
    this.#places.set(value, { size: places.size, starts: [...starts].toSorted((a, b) => a - b) });
  }

  /** Goes from the neurons' places in what a node gives to those in what it reads. */
  #pass(node: NodeProto): void {
    if (isProduct(this.flow, node)) this.#makes(node);
    else if (node.opType === 'Split') this.#split(node);
    else if (node.opType === 'Slice') this.#slice(node);
    else if (node.opType === 'Reshape') this.#reshape(node);
    else if (isRenaming(node) || ELEMENTWISE_OPERATORS.has(node.opType)) this.#elementwise(node);
    else throw this.#otherwise(node);
  }

  #otherwise(node: NodeProto | undefined): Unknown {
    const where = node ? `the ${describeNode(node)}` : 'what they are made of';
    return new Unknown(`${where} does more than to work on each neuron by itself`);
  }

  #makes(node: NodeProto): void {
    const known = this.#known(node);
    const places = this.#places.get(node.output[0]!)!;
    if (known.outputs.channels !== places.size) throw this.#otherwise(node);
    this.#take(known.outputs, node, node.output[0]!);
    this.#first.push(known);
  }

  #take(side: ProductConstants['inputs'], node: NodeProto, value: string): void {
    for (const constant of side.constants) this.#constants.push({ constant, value });
    if (side.attribute !== undefined)
      this.#counts.push({ at: { node, attribute: side.attribute }, value, from: 0, to: side.channels });
  }

  #elementwise(node: NodeProto): void {
    const places = this.#places.get(node.output[0]!)!;
    node.input.forEach((value, index) => {
      if (value === '') return;
      const tensor = this.flow.isConstant(value) ? this.flow.constantBehind(value) : undefined;
      if (!tensor) {
        if (this.flow.isConstant(value)) throw this.#otherwise(node);
        this.#follow(value, places);
        return;
      }
      const dims = tensorDims(tensor);
      if (elementCount(dims) === 1) return;
      const use = this.#throughCasts({ node, index });
      if (!use || dims.at(-1) !== places.size) throw this.#otherwise(node);
      this.#constants.push({
        constant: alongAxis(use, tensor, dims.length - 1),
        value: node.output[0]!,
      });
    });
  }

  /** Where a constant itself is read, if it goes through Casts alone. */
  #throughCasts(first: Use): Use | undefined {
    let use = first;
    for (;;) {
      const value = use.node.input[use.index]!;
      if (this.flow.graph.constant(value)) return use;
      const node = this.flow.graph.producer(value);
      if (!node || !isRenaming(node) || this.flow.graph.consumers(value).length > 1) return undefined;
      use = { node, index: 0 };
    }
  }

  /** Split: input, sizes (an attribute before operator set 13); without sizes, into equal parts (ONNX specification). */
  #split(node: NodeProto): void {
    const sizes = this.#sizesOfSplit(node);
    const size = sizes.reduce((sum, part) => sum + part, 0);
    let start = 0;
    const starts = node.output.flatMap((value, index) => {
      const places = this.#places.get(value);
      const from = start;
      start += sizes[index]!;
      if (!places) return [];
      if (places.size !== sizes[index]) throw this.#otherwise(node);
      return places.starts.map((place) => from + place);
    });
    this.#follow(node.input[0]!, { size, starts });
    const value = node.input[0]!;
    let to = 0;
    sizes.forEach((part, index) => {
      const from = to;
      to += part;
      if (node.input[1]) this.#counts.push({ at: { use: { node, index: 1 }, index }, value, from, to });
      else if (intsAttribute(node, 'split'))
        this.#counts.push({ at: { node, attribute: 'split', index }, value, from, to });
      else if (node.output.some((output) => this.#places.get(output)?.starts.length !== 1))
        throw this.#otherwise(node);
    });
  }

  #sizesOfSplit(node: NodeProto): readonly number[] {
    const size = [...this.#places].find(([value]) => node.output.includes(value))![1].size;
    const given = node.input[1]
      ? this.#integers({ node, index: 1 })
      : (intsAttribute(node, 'split') ?? node.output.map(() => size));
    if (!given || given.length !== node.output.length || !this.#isLastAxis(intAttribute(node, 'axis', 0)))
      throw this.#otherwise(node);
    return given;
  }

  /** Slice: input, starts, ends, axes, steps (ONNX specification). */
  #slice(node: NodeProto): void {
    const [starts, ends, axes, steps] = [1, 2, 3, 4].map((index) => this.#integers({ node, index }));
    const places = this.#places.get(node.output[0]!)!;
    const size = this.#sizeBehind(node.input[0]!);
    if (starts?.length !== 1 || ends?.length !== 1 || axes?.length !== 1 || size === undefined)
      throw this.#otherwise(node);
    if (!this.#isLastAxis(axes[0]!) || (steps && steps[0] !== 1)) throw this.#otherwise(node);
    const at = (place: number) => Math.min(size, place < 0 ? Math.max(0, size + place) : place);
    const [from, to] = [at(starts[0]!), at(ends[0]!)];
    if (to - from !== places.size) throw this.#otherwise(node);
    this.#follow(node.input[0]!, { size, starts: places.starts.map((place) => from + place) });
    const value = node.input[0]!;
    const count = (index: number, end: number) =>
      this.#counts.push({ at: { use: { node, index }, index: 0 }, value, from: 0, to: end });
    count(1, from);
    if (ends[0]! < size && ends[0]! >= 0) count(2, to);
  }

  /** The number of channels of a value that a product makes. */
  #sizeBehind(value: string): number | undefined {
    let name = value;
    for (;;) {
      const node = this.flow.graph.producer(name);
      if (!node) return undefined;
      if (isProduct(this.flow, node)) return productConstants(this.flow, node)?.outputs.channels;
      const dynamic = node.input.filter((input) => input !== '' && !this.flow.isConstant(input));
      const passes = isRenaming(node) || node.opType === 'Reshape' || ELEMENTWISE_OPERATORS.has(node.opType);
      if (!passes || dynamic.length === 0) return undefined;
      name = dynamic[0]!;
    }
  }

  /** The neurons' axis is the last of three, or of two where positions and rows are one axis. */
  #isLastAxis(axis: number): boolean {
    return axis === -1 || axis === 2;
  }

  #integers(use: Use): number[] | undefined {
    const value = use.node.input[use.index];
    const tensor = value ? this.flow.graph.constant(value) : undefined;
    return tensor && tensorToIntegers(tensor, this.decoder.model.folder);
  }

  #reshape(node: NodeProto): void {
    const places = this.#places.get(node.output[0]!)!;
    this.#follow(node.input[0]!, places);
    let use: Use = { node, index: 1 };
    for (;;) {
      const value = use.node.input[use.index]!;
      const integers = this.#integers(use);
      if (integers) {
        const size = integers.at(-1);
        if (size === places.size)
          this.#counts.push({
            at: { use, index: integers.length - 1 },
            value: node.output[0]!,
            from: 0,
            to: size,
          });
        else if (size !== -1) throw this.#otherwise(node);
        return;
      }
      const producer = this.flow.graph.producer(value);
      if (producer?.opType === 'Concat') use = { node: producer, index: producer.input.length - 1 };
      else if (producer && this.flow.isConstant(value) && isRenaming(producer))
        use = { node: producer, index: 0 };
      else {
        if (this.flow.isConstant(value)) throw this.#otherwise(node);
        this.#sizes.push(value);
        return;
      }
      // What other nodes read, too, would change for them.
      if (this.flow.isConstant(use.node.input[use.index]!) && this.flow.graph.consumers(value).length > 1)
        throw this.#otherwise(node);
    }
  }

  /** @throws Unknown if a number of channels is that of other values than those that have the neurons */
  #requireOwnSize(value: string): void {
    const shapes = [...this.flow.sources([value], new Set()).nodes].filter(readsShapeOnly);
    const other = shapes.find((node) => !this.#places.has(node.input[0]!));
    if (other || shapes.length === 0) throw this.#otherwise(other ?? this.flow.graph.producer(value));
  }

  /** @throws Unknown if something else reads a value that has the neurons */
  #requireOnlyReaders(last: NodeProto): void {
    for (const value of this.#places.keys()) {
      const other = this.flow.graph.consumers(value).find((node) => {
        const passes = node === last || node.output.some((output) => this.#places.has(output));
        return !passes && !(readsShapeOnly(node) && this.block.nodes.has(node));
      });
      if (other) throw this.#otherwise(other);
      const maker = this.flow.graph.producer(value);
      if (this.flow.graph.isOutput(value) || !maker || !this.block.nodes.has(maker))
        throw this.#otherwise(maker);
    }
  }
}
