/** A decoder without some of the neurons of its MLPs: no node is added, none goes, and what stays of the weights is as it was. */
import { UserError } from '../../../schema/errors.js';
import type { BlockName } from '../../../schema/blocks.js';
import type { Decoder, Use } from '../../decoder/decoder.js';
import { rereadDecoder } from '../../decoder/read/read-decoder.js';
import type { WeightEdit } from '../../export/scale-weight.js';
import { intsAttribute, setAttribute } from '../../onnx/graph/attributes.js';
import { copyModel } from '../../onnx/file/model-file.js';
import { shallowCopy } from '../../onnx/file/shallow-copy.js';
import type { Graph } from '../../onnx/graph/graph.js';
import type { TensorProto } from '../../onnx/file/onnx_pb.js';
import { int64Tensor, tensorDims, tensorToIntegers } from '../../onnx/graph/tensor.js';
import { keepEntries, keptDims, keptEntries } from './keep-channels.js';
import type { AxisConstant } from './product-constants.js';
import type { Count, Neurons, Places } from './neurons.js';
import { readNeurons } from './read-neurons.js';

/** Of each MLP the neurons that stay, ascending; MLPs that are not named keep all. */
export type KeptNeurons = ReadonlyMap<BlockName, readonly number[]>;

export interface CutDecoder {
  /** Its weights have their new shapes and their old bytes, until they are written with the edits. */
  decoder: Decoder;
  /** How the bytes of each changed initializer are made, by its name. */
  weightEdits: ReadonlyMap<string, WeightEdit>;
  /** The initializer that is the last product's weight in each MLP that was cut, where it is a plain one of floats. */
  lastWeights: ReadonlyMap<BlockName, { name: string; outputsFirst: boolean }>;
}

/**
 * @throws UserError if an MLP cannot be cut
 * @throws RangeError if what should be kept is not ascending, empty, or only a part of a block
 */
export function removeNeurons(original: Decoder, kept: KeptNeurons): CutDecoder {
  const model = copyModel(original.model);
  const decoder = rereadDecoder(model, original);
  const { neurons, problems } = readNeurons(decoder);
  const byName = new Map(neurons.map((entry) => [entry.block, entry]));
  const remover = new NeuronRemover(decoder);
  const lastWeights = new Map<BlockName, { name: string; outputsFirst: boolean }>();
  for (const [name, own] of kept) {
    const found = byName.get(name);
    if (!found) throw cannotCut(name, problems.get(name));
    requireWhole(found, own);
    if (own.length === found.width) continue;
    remover.remove(found, own);
    const { weight } = found.last;
    if (weight) {
      const { use, outputsFirst } = weight;
      lastWeights.set(name, { name: use.node.input[use.index]!, outputsFirst });
    }
  }
  decoder.graph.removeUnused();
  // An exporter's declarations of values in between tell their old widths.
  decoder.graph.proto.valueInfo = [];
  return { decoder, weightEdits: remover.weightEdits, lastWeights };
}

function cannotCut(name: BlockName, problem: string | undefined): UserError {
  return new UserError(
    `The neurons of the block '${name}' cannot be removed${problem === undefined ? ': there is no such MLP' : `, because ${problem}`}; leave this cut out.`,
  );
}

function requireWhole({ block, width, together }: Neurons, kept: readonly number[]): void {
  const isAscending = kept.every((neuron, at) => at === 0 || neuron > kept[at - 1]!);
  if (kept.length === 0 || !isAscending || kept[0]! < 0 || kept.at(-1)! >= width)
    throw new RangeError(`The neurons that ${block} keeps are not ascending numbers below ${width}`);
  const own = new Set(kept);
  const parts = kept.some((neuron) => {
    const first = neuron - (neuron % together);
    return Array.from({ length: Math.min(together, width - first) }, (_, at) => first + at).some(
      (other) => !own.has(other),
    );
  });
  if (parts)
    throw new RangeError(`${block} can only lose ${together} neurons that follow each other at once`);
}

class NeuronRemover {
  readonly weightEdits = new Map<string, WeightEdit>();
  readonly #graph: Graph;

  constructor(readonly decoder: Decoder) {
    this.#graph = decoder.graph;
  }

  remove(neurons: Neurons, kept: readonly number[]): void {
    for (const { constant, places } of neurons.constants)
      this.#cut(constant, keptChannels(places, neurons.width, kept));
    for (const count of neurons.counts)
      this.#setCount(count, keptChannels(count.places, neurons.width, kept));
  }

  #cut(constant: AxisConstant, channels: readonly number[]): void {
    const { use } = constant;
    const tensor = this.#graph.constant(use.node.input[use.index]!)!;
    const entries = keptEntries(constant, channels);
    const cut = shallowCopy(tensor);
    cut.dims = keptDims(constant, tensor, entries.length).map(BigInt);
    const name = this.#put(use, cut);
    this.weightEdits.set(name, (_, folder) => keepEntries(constant, tensor, folder, entries));
  }

  #setCount({ at, from, to }: Count, channels: readonly number[]): void {
    const below = (end: number) => channels.filter((channel) => channel < end).length;
    const count = below(to) - below(from);
    if ('node' in at) {
      const list = at.index === undefined ? undefined : intsAttribute(at.node, at.attribute);
      setAttribute(at.node, at.attribute, list ? list.with(at.index!, count) : count);
      return;
    }
    const { use, index } = at;
    const tensor = this.#graph.constant(use.node.input[use.index]!)!;
    const values = tensorToIntegers(tensor, this.decoder.model.folder).with(index, count);
    const changed = int64Tensor(tensor.name, tensorDims(tensor), values);
    this.#put(use, changed);
  }

  /** Puts a constant in the place of the one that is read there, for this reader alone. */
  #put({ node, index }: Use, tensor: TensorProto): string {
    const value = node.input[index]!;
    const isAlone =
      this.#graph.initializer(value) !== undefined &&
      this.#graph.consumers(value).length === 1 &&
      node.input.filter((input) => input === value).length === 1;
    if (isAlone) {
      tensor.name = value;
      this.#graph.replaceInitializer(tensor);
      return value;
    }
    tensor.name = this.#graph.freshName(`${value}.cut`);
    this.#graph.addInitializer(tensor);
    this.#graph.setInput(node, index, tensor.name);
    return tensor.name;
  }
}

/** The channels of a value that stay, ascending: those of the kept neurons, and those that are no neurons'. */
function keptChannels({ size, starts }: Places, width: number, kept: readonly number[]): number[] {
  const stays = new Uint8Array(size).fill(1);
  for (const start of starts) {
    stays.fill(0, start, start + width);
    for (const neuron of kept) stays[start + neuron] = 1;
  }
  return Array.from(stays.keys()).filter((channel) => stays[channel] === 1);
}
