/** A graph with its data flow at hand: who makes and who uses each value; and edits that keep both in step. */
import { create } from '@bufbuild/protobuf';
import { makeAttribute, type AttributeValue } from './attributes.js';
import { constantTensor, renameReads, valuesRead } from './node.js';
import {
  NodeProtoSchema,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from '../file/onnx_pb.js';
import { sortNodes } from './sort-nodes.js';
import { valuesBefore } from './walk.js';

export class Graph {
  readonly #producers = new Map<string, NodeProto>();
  readonly #consumers = new Map<string, Set<NodeProto>>();
  readonly #initializers = new Map<string, TensorProto>();
  #inputs = new Map<string, ValueInfoProto>();
  readonly #names = new Set<string>();
  /** The first number that may be free behind a name that is taken; names are never given back. */
  readonly #suffixes = new Map<string, number>();

  /** @param proto the graph that is viewed and edited; do not change its lists in other ways meanwhile */
  constructor(readonly proto: GraphProto) {
    for (const tensor of proto.initializer) this.#indexInitializer(tensor);
    for (const input of proto.input) {
      this.#names.add(input.name);
      if (!this.#initializers.has(input.name)) this.#inputs.set(input.name, input);
    }
    for (const node of proto.node) this.#index(node);
  }

  get nodes(): readonly NodeProto[] {
    return this.proto.node;
  }

  /** Inputs that a caller must feed; those with an initializer as default (IR versions before 4) are left out. */
  get inputs(): ValueInfoProto[] {
    return [...this.#inputs.values()];
  }

  get outputs(): readonly ValueInfoProto[] {
    return this.proto.output;
  }

  producer(value: string): NodeProto | undefined {
    return this.#producers.get(value);
  }

  consumers(value: string): NodeProto[] {
    return [...(this.#consumers.get(value) ?? [])];
  }

  input(value: string): ValueInfoProto | undefined {
    return this.#inputs.get(value);
  }

  isOutput(value: string): boolean {
    return this.proto.output.some((output) => output.name === value);
  }

  initializer(value: string): TensorProto | undefined {
    return this.#initializers.get(value);
  }

  /** The tensor behind a value that is an initializer or comes from a Constant node. */
  constant(value: string): TensorProto | undefined {
    const initializer = this.#initializers.get(value);
    if (initializer) return initializer;
    const node = this.#producers.get(value);
    return node?.opType === 'Constant' ? constantTensor(node) : undefined;
  }

  /** A value or node name that is not in use yet; it is reserved from now on. */
  freshName(base: string): string {
    let name = base;
    if (this.#names.has(base)) {
      let suffix = this.#suffixes.get(base) ?? 1;
      for (; this.#names.has(name); suffix += 1) name = `${base}_${suffix}`;
      this.#suffixes.set(base, suffix);
    }
    this.#names.add(name);
    return name;
  }

  /**
   * Appends a node with fresh output names and returns them.
   * @param label what the names begin with
   */
  addNode(
    opType: string,
    inputs: readonly string[],
    attributes: Record<string, AttributeValue> = {},
    options: { outputs?: number | readonly string[]; domain?: string; label?: string } = {},
  ): string[] {
    const label = options.label ?? opType;
    const outputs = options.outputs ?? 1;
    const names =
      typeof outputs === 'number'
        ? Array.from({ length: outputs }, () => this.freshName(label))
        : [...outputs];
    const node = create(NodeProtoSchema, {
      opType,
      name: this.freshName(`${label}/node`),
      domain: options.domain ?? '',
      input: [...inputs],
      output: names,
      attribute: Object.entries(attributes).map(([name, value]) => makeAttribute(name, value)),
    });
    this.proto.node.push(node);
    this.#index(node);
    return names;
  }

  addInitializer(tensor: TensorProto): string {
    this.proto.initializer.push(tensor);
    this.#indexInitializer(tensor);
    return tensor.name;
  }

  /** Puts another tensor in the place of the initializer of the same name. */
  replaceInitializer(tensor: TensorProto): void {
    const index = this.proto.initializer.findIndex((existing) => existing.name === tensor.name);
    if (index < 0) throw new RangeError(`There is no initializer '${tensor.name}'`);
    this.proto.initializer[index] = tensor;
    this.#initializers.set(tensor.name, tensor);
  }

  addInput(value: ValueInfoProto): string {
    this.proto.input.push(value);
    this.#names.add(value.name);
    this.#inputs.set(value.name, value);
    return value.name;
  }

  removeInputs(names: ReadonlySet<string>): void {
    this.proto.input = this.proto.input.filter((input) => !names.has(input.name));
    for (const name of names) this.#inputs.delete(name);
  }

  /** Gives an input another name, for its readers too. */
  renameInput(before: string, name: string): void {
    const input = this.#inputs.get(before);
    if (!input) throw new RangeError(`There is no input '${before}'`);
    input.name = name;
    this.#inputs = new Map([...this.#inputs.values()].map((value) => [value.name, value]));
    this.#names.add(name);
    this.replaceUses(before, name);
  }

  removeOutputs(names: ReadonlySet<string>): void {
    this.proto.output = this.proto.output.filter((output) => !names.has(output.name));
  }

  /** Changes what one node reads. */
  setInput(node: NodeProto, index: number, value: string): void {
    const before = node.input[index]!;
    node.input[index] = value;
    if (!valuesRead(node).includes(before)) this.#consumers.get(before)?.delete(node);
    this.#addConsumer(value, node);
  }

  /**
   * Makes all nodes that read `before` read `after`, but for those that `keep` names. Graph outputs keep their names:
   * rename the producer's output for these. Values captured by subgraphs are renamed too.
   */
  replaceUses(before: string, after: string, keep: (node: NodeProto) => boolean = () => false): void {
    for (const node of this.consumers(before)) {
      if (keep(node)) continue;
      renameReads(node, before, after);
      this.#consumers.get(before)!.delete(node);
      this.#addConsumer(after, node);
    }
  }

  /** Gives a node's output another name, for its readers too. */
  renameOutput(node: NodeProto, index: number, name: string): void {
    const before = node.output[index]!;
    node.output[index] = name;
    this.#producers.delete(before);
    this.#producers.set(name, node);
    this.#names.add(name);
    this.replaceUses(before, name);
  }

  /** The name of a node's optional output, which is added with a fresh name if the node lacks it. */
  requireOutput(node: NodeProto, index: number, base: string): string {
    while (node.output.length <= index) node.output.push('');
    if (node.output[index] === '') {
      node.output[index] = this.freshName(base);
      this.#producers.set(node.output[index], node);
    }
    return node.output[index]!;
  }

  removeNodes(nodes: ReadonlySet<NodeProto>): void {
    this.proto.node = this.proto.node.filter((node) => !nodes.has(node));
    for (const node of nodes) {
      for (const output of node.output) this.#producers.delete(output);
      for (const value of valuesRead(node)) this.#consumers.get(value)?.delete(node);
    }
  }

  /** Removes nodes and initializers that no output needs, and value information of values that are gone. */
  removeUnused(): void {
    const values = valuesBefore(
      this,
      this.proto.output.map((output) => output.name),
    );
    const isUnused = (node: NodeProto) => !node.output.some((output) => values.has(output));
    this.removeNodes(new Set(this.proto.node.filter(isUnused)));
    this.proto.initializer = this.proto.initializer.filter((tensor) => values.has(tensor.name));
    for (const name of this.#initializers.keys()) if (!values.has(name)) this.#initializers.delete(name);
    const defaults = new Set(this.proto.initializer.map((tensor) => tensor.name));
    this.proto.input = this.proto.input.filter(
      (input) => this.#inputs.has(input.name) || defaults.has(input.name),
    );
    this.proto.valueInfo = this.proto.valueInfo.filter((info) => this.#producers.has(info.name));
    this.proto.quantizationAnnotation = this.proto.quantizationAnnotation.filter((entry) =>
      values.has(entry.tensorName),
    );
  }

  /** Brings the nodes into an order in which each comes after those it reads from; stable. @throws RangeError on a cycle */
  sortNodes(): void {
    this.proto.node = sortNodes(this.proto.node, (value) => this.#producers.get(value));
  }

  #index(node: NodeProto): void {
    this.#names.add(node.name);
    for (const output of node.output) {
      if (output === '') continue;
      this.#producers.set(output, node);
      this.#names.add(output);
    }
    for (const value of valuesRead(node)) this.#addConsumer(value, node);
  }

  #indexInitializer(tensor: TensorProto): void {
    this.#names.add(tensor.name);
    this.#initializers.set(tensor.name, tensor);
  }

  #addConsumer(value: string, node: NodeProto): void {
    let nodes = this.#consumers.get(value);
    if (!nodes) this.#consumers.set(value, (nodes = new Set()));
    nodes.add(node);
  }
}
