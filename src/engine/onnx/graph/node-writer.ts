/** Adds nodes and constants to a graph: names them, and makes each constant once. */
import type { NodeProto, TensorProto } from '../file/onnx_pb.js';
import type { AttributeValue } from './attributes.js';
import { DataType, dataTypeName } from './data-types.js';
import type { Graph } from './graph.js';
import { floatTensor, int64Tensor } from './tensor.js';

/** An input of a node: a value's name, or undefined where an optional input is left out. */
export type NodeInput = string | undefined;

export class NodeWriter {
  readonly #constants = new Map<string, string>();
  readonly #scalars = new Set<string>();
  readonly #added = new Set<NodeProto>();
  readonly #scope: string;
  #label: string;
  #floatType: DataType;

  /**
   * @param scope what the names of constants begin with, and of nodes until another label is entered
   * @param floatType the type of floating-point constants
   */
  constructor(
    readonly graph: Graph,
    scope: string,
    floatType: DataType = DataType.FLOAT,
  ) {
    this.#scope = scope;
    this.#label = scope;
    this.#floatType = floatType;
  }

  /** The type of floating-point constants. */
  get floatType(): DataType {
    return this.#floatType;
  }

  /** The nodes added so far. */
  get added(): ReadonlySet<NodeProto> {
    return this.#added;
  }

  /** Names of nodes added from now on begin with the label; floating-point constants are of the type. */
  enter(label: string, floatType: DataType = DataType.FLOAT): void {
    this.#label = label;
    this.#floatType = floatType;
  }

  /** Adds a node of one output and returns the name of that. */
  emit(
    opType: string,
    inputs: readonly NodeInput[],
    attributes: Record<string, AttributeValue> = {},
    domain = '',
  ): string {
    return this.emitSeveral(1, opType, inputs, attributes, domain)[0]!;
  }

  /**
   * Adds a node of several outputs and returns their names.
   * @param outputs how many, or their names
   */
  emitSeveral(
    outputs: number | readonly string[],
    opType: string,
    inputs: readonly NodeInput[],
    attributes: Record<string, AttributeValue> = {},
    domain = '',
  ): string[] {
    const label = typeof outputs === 'number' ? `${this.#label}/${opType}` : this.#label;
    const names = this.graph.addNode(opType, givenInputs(inputs), attributes, { outputs, domain, label });
    this.#added.add(this.graph.producer(names[0]!)!);
    return names;
  }

  /** Gives a value that was added here another name, which may be one that other nodes read already. */
  name(value: string, name: string): string {
    const producer = this.graph.producer(value)!;
    this.graph.renameOutput(producer, producer.output.indexOf(value), name);
    return name;
  }

  /** An int64 vector. */
  integers(values: readonly number[]): string {
    return this.constant(`int64 [${values.join(', ')}]`, (name) =>
      int64Tensor(name, [values.length], values),
    );
  }

  /** An int64 scalar. */
  integer(value: number): string {
    return this.constant(`int64 ${value}`, (name) => int64Tensor(name, [], [value]));
  }

  /** A floating-point vector. */
  floats(values: readonly number[], type = this.#floatType): string {
    return this.constant(`${dataTypeName(type)} [${values.join(', ')}]`, (name) =>
      floatTensor(name, [values.length], values, type),
    );
  }

  /** A floating-point scalar. */
  scalar(value: number, type = this.#floatType): string {
    const name = this.constant(`${dataTypeName(type)} ${value}`, (fresh) =>
      floatTensor(fresh, [], [value], type),
    );
    this.#scalars.add(name);
    return name;
  }

  /** Whether a value is one of the floating-point scalars added here. */
  isScalar(value: string): boolean {
    return this.#scalars.has(value);
  }

  /**
   * A constant of any kind, made at its first use.
   * @param content says what it holds: the same words, the same constant
   */
  constant(content: string, make: (name: string) => TensorProto): string {
    let name = this.#constants.get(content);
    if (name === undefined) {
      name = this.graph.addInitializer(make(this.graph.freshName(`${this.#scope}/${content}`)));
      this.#constants.set(content, name);
    }
    return name;
  }
}

/** Inputs as ONNX writes them: '' for those that are left out, and nothing for the last ones. */
function givenInputs(inputs: readonly NodeInput[]): readonly string[] {
  if (inputs.every((input) => input !== undefined)) return inputs;
  const last = inputs.findLastIndex((input) => input !== undefined);
  return inputs.slice(0, last + 1).map((input) => input ?? '');
}
