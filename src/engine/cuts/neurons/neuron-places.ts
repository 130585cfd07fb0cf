/** Where the values of an MLP have its neurons, as far as they were followed back, and what was met on the way. */
import { readsShapeOnly, type DataFlow } from '../../decoder/read/data-flow.js';
import type { Use } from '../../decoder/decoder.js';
import { describeNode } from '../../onnx/graph/node.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { tensorToIntegers } from '../../onnx/graph/tensor.js';
import type { Count, Neurons, Places } from './neurons.js';
import type { AxisConstant, ProductSide } from './product-constants.js';

/** Why an MLP's neurons cannot be removed; the words follow 'because'. */
export class UnknownForm extends Error {}

/** The places are those in a value, which are complete once all that read the value were met. */
type InValue<T> = Omit<T, 'places'> & { value: string };

export class NeuronPlaces {
  readonly #places = new Map<string, Places>();
  readonly #constants: InValue<Neurons['constants'][number]>[] = [];
  readonly #counts: InValue<Count>[] = [];
  /** Values that say how many channels there are, computed from shapes. */
  readonly #sizes: string[] = [];

  /** @param folder the model's, for constants in external files */
  constructor(
    readonly flow: DataFlow,
    readonly folder: string | undefined,
  ) {}

  get values(): IterableIterator<string> {
    return this.#places.keys();
  }

  get constants(): Neurons['constants'] {
    return this.#constants.map((entry) => this.#placed(entry));
  }

  get counts(): Neurons['counts'] {
    return this.#counts.map((entry) => this.#placed(entry));
  }

  has(value: string): boolean {
    return this.#places.has(value);
  }

  of(value: string): Places {
    return this.#places.get(value)!;
  }

  /** Says that a value has the neurons there, too. */
  add(value: string, places: Places): void {
    const before = this.#places.get(value);
    if (before && before.size !== places.size) throw this.otherwise(this.flow.graph.producer(value));
    const starts = new Set([...(before?.starts ?? []), ...places.starts]);
    this.#places.set(value, { size: places.size, starts: [...starts].toSorted((a, b) => a - b) });
  }

  /** A constant whose axis goes along a value's last one. */
  addConstant(constant: AxisConstant, value: string): void {
    this.#constants.push({ constant, value });
  }

  /** An integer that is the number of channels from one place of a value's last axis to another. */
  addCount(at: Count['at'], value: string, from: number, to: number): void {
    this.#counts.push({ at, value, from, to });
  }

  /** What goes with a product's inputs or outputs, which are the last axis of a value. */
  addSide({ constants, attribute, channels }: ProductSide, node: NodeProto, value: string): void {
    for (const constant of constants) this.addConstant(constant, value);
    if (attribute !== undefined) this.addCount({ node, attribute }, value, 0, channels);
  }

  /** A number of channels that the graph computes. */
  addSize(value: string): void {
    this.#sizes.push(value);
  }

  /** Integers of a constant; undefined if there is none. */
  integers({ node, index }: Use): number[] | undefined {
    const value = node.input[index];
    const tensor = value ? this.flow.graph.constant(value) : undefined;
    return tensor && tensorToIntegers(tensor, this.folder);
  }

  otherwise(node: NodeProto | undefined): UnknownForm {
    const where = node ? `the ${describeNode(node)}` : 'what they are made of';
    return new UnknownForm(`${where} does more than to work on each neuron by itself`);
  }

  /** @throws UnknownForm if a computed number of channels is that of other values than those that have the neurons */
  requireOwnSizes(): void {
    for (const value of this.#sizes) {
      const shapes = [...this.flow.sources([value], new Set()).nodes].filter(readsShapeOnly);
      const other = shapes.find((node) => !this.has(node.input[0]!));
      if (other || shapes.length === 0) throw this.otherwise(other ?? this.flow.graph.producer(value));
    }
  }

  #placed<T extends object>({
    value,
    ...rest
  }: T & { value: string }): Omit<T, 'value'> & { places: Places } {
    return { ...rest, places: this.of(value) };
  }
}
