/** Adds nodes and constants to the graph that is differentiated. */
import type { AttributeValue } from '../onnx/graph/attributes.js';
import type { Graph } from '../onnx/graph/graph.js';
import type { NodeProto } from '../onnx/file/onnx_pb.js';
import { floatTensor, int64Tensor } from '../onnx/graph/tensor.js';
import { FLOAT_TYPES } from './float-types.js';
import type { ValueTypes } from './value-types.js';

export class NodeWriter {
  readonly #constants = new Map<string, string>();
  readonly #scalars = new Set<string>();
  readonly #shapeNodes = new Map<string, string>();
  readonly #added = new Set<NodeProto>();
  #label = 'gradient';
  #elementType = 'float32';

  constructor(
    readonly graph: Graph,
    readonly types: ValueTypes,
  ) {}

  /** The nodes added so far. */
  get added(): ReadonlySet<NodeProto> {
    return this.#added;
  }

  /** Names of nodes added from now on begin with the label; scalars are of the element type. */
  enter(label: string, elementType: string): void {
    this.#label = label;
    this.#elementType = elementType;
  }

  /** Adds a node of one output. */
  emit(
    opType: string,
    inputs: readonly string[],
    attributes: Record<string, AttributeValue> = {},
    domain = '',
  ): string {
    return this.emitSeveral(opType, inputs, attributes, 1, domain)[0]!;
  }

  emitSeveral(
    opType: string,
    inputs: readonly string[],
    attributes: Record<string, AttributeValue>,
    outputs: number,
    domain = '',
  ): string[] {
    const names = this.graph.addNode(opType, inputs, attributes, {
      outputs,
      domain,
      label: `${this.#label}/${opType}`,
    });
    this.#added.add(this.graph.producer(names[0]!)!);
    return names;
  }

  /** An int64 vector. */
  integers(values: readonly number[]): string {
    return this.#constant(`int64 [${values.join(', ')}]`, (name) =>
      int64Tensor(name, [values.length], values),
    );
  }

  /** An int64 scalar. */
  integer(value: number): string {
    return this.#constant(`int64 ${value}`, (name) => int64Tensor(name, [], [value]));
  }

  /** A floating-point vector. */
  floats(values: readonly number[], elementType: string): string {
    return this.#constant(`${elementType} [${values.join(', ')}]`, (name) =>
      floatTensor(name, [values.length], values, FLOAT_TYPES[elementType]),
    );
  }

  /** A scalar of the element type of the node that is differentiated, or of the given one. */
  scalar(value: number, elementType = this.#elementType): string {
    const name = this.#constant(`${elementType} ${value}`, (fresh) =>
      floatTensor(fresh, [], [value], FLOAT_TYPES[elementType]),
    );
    this.#scalars.add(name);
    return name;
  }

  /** Whether a value is one of the floating-point scalars added here. */
  isScalar(value: string): boolean {
    return this.#scalars.has(value);
  }

  #constant(key: string, make: (name: string) => ReturnType<typeof int64Tensor>): string {
    let name = this.#constants.get(key);
    if (name === undefined) {
      name = this.graph.addInitializer(make(this.graph.freshName(`gradient/${key}`)));
      this.#constants.set(key, name);
    }
    return name;
  }

  /** The shape of a value at run time, int64 [rank]. */
  shapeOf(value: string): string {
    let shape = this.#shapeNodes.get(value);
    if (shape === undefined) this.#shapeNodes.set(value, (shape = this.emit('Shape', [value])));
    return shape;
  }

  /** One dimension of a value at run time, int64 [1]. */
  dimOf(value: string, axis: number): string {
    const known = this.types.get(value)?.shape[axis];
    if (known !== undefined) return this.integers([known]);
    return this.emit('Gather', [this.shapeOf(value), this.integers([axis])], { axis: 0 });
  }

  /** The shape of a value of the forward graph, as a constant where it is the same in every run. */
  shapeInput(value: string): string {
    const { shape } = this.types.get(value)!;
    return shape.every((dim) => dim !== undefined) ? this.integers(shape) : this.shapeOf(value);
  }

  /** The number of elements of a value at run time, as a floating-point scalar. */
  countOf(value: string): string {
    return this.castTo(this.emit('Size', [value]), this.#elementType);
  }

  /** @param elementType onnxruntime's name of a floating-point type */
  castTo(value: string, elementType: string): string {
    return this.emit('Cast', [value], { to: FLOAT_TYPES[elementType]! });
  }
}
