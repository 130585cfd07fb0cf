/** Which values of a graph are computed from which, told apart from those that only read a value's shape. */
import { valuesRead, type Graph } from '../onnx/graph.js';
import type { NodeProto, TensorProto } from '../onnx/onnx_pb.js';
import type { Use } from './decoder.js';

/** Operators that read the shape of a value and not its content. */
const SHAPE_OPERATORS = new Set(['Shape', 'Size']);

/** Operators that leave the elements of their first input as they are, but for rounding and arrangement. */
const RENAMING_OPERATORS = new Set(['Cast', 'Identity', 'Dropout']);

export function readsShapeOnly(node: NodeProto): boolean {
  return SHAPE_OPERATORS.has(node.opType);
}

/** Cast, Identity and (at inference) Dropout. */
export function isRenaming(node: NodeProto): boolean {
  return RENAMING_OPERATORS.has(node.opType);
}

export class DataFlow {
  /** Values that depend on a graph input, be it on its shape only. */
  readonly #dynamic = new Set<string>();

  /** @param graph must not change while this is in use */
  constructor(readonly graph: Graph) {
    const queue = graph.inputs.map((input) => input.name);
    for (const name of queue) this.#dynamic.add(name);
    for (let value = queue.pop(); value !== undefined; value = queue.pop()) {
      for (const output of graph.consumers(value).flatMap((node) => node.output)) {
        if (output === '' || this.#dynamic.has(output)) continue;
        this.#dynamic.add(output);
        queue.push(output);
      }
    }
  }

  /** Whether a value is the same in every run: an initializer, or computed from initializers and constants. */
  isConstant(value: string): boolean {
    return !this.#dynamic.has(value);
  }

  /** The tensor behind a constant value, through nodes that only cast, rename or reshape it. */
  constantBehind(value: string): TensorProto | undefined {
    let name = value;
    for (;;) {
      const tensor = this.graph.constant(name);
      if (tensor) return tensor;
      const node = this.graph.producer(name);
      if (!node || !(isRenaming(node) || ['Unsqueeze', 'Squeeze', 'Reshape'].includes(node.opType)))
        return undefined;
      name = node.input[0]!;
    }
  }

  /** The value behind Casts and the like. */
  origin(value: string): string {
    let name = value;
    for (let node = this.graph.producer(name); node && isRenaming(node); node = this.graph.producer(name)) {
      name = node.input[0]!;
    }
    return name;
  }

  /** Nodes that read the content of a value. */
  readers(value: string): NodeProto[] {
    return this.graph.consumers(value).filter((node) => !readsShapeOnly(node));
  }

  /** Places that read the content of a value directly or through Casts and the like. */
  usesThroughCasts(value: string): Use[] {
    return this.readers(value).flatMap((node) =>
      isRenaming(node)
        ? this.usesThroughCasts(node.output[0]!)
        : node.input.flatMap((name, index) => (name === value ? [{ node, index }] : [])),
    );
  }

  /** Nodes whose results depend on the content of the values. */
  dependents(values: Iterable<string>): Set<NodeProto> {
    const found = new Set<NodeProto>();
    const queue = [...values];
    for (let value = queue.pop(); value !== undefined; value = queue.pop()) {
      for (const node of this.readers(value)) {
        if (found.has(node)) continue;
        found.add(node);
        queue.push(...node.output.filter((name) => name !== ''));
      }
    }
    return found;
  }

  /**
   * Everything that the values' content is computed from.
   * @param stop values behind which the search does not go
   */
  sources(
    values: Iterable<string>,
    stop: ReadonlySet<string>,
  ): { nodes: Set<NodeProto>; inputs: Set<string> } {
    const nodes = new Set<NodeProto>();
    const inputs = new Set<string>();
    const queue = [...values];
    for (let value = queue.pop(); value !== undefined; value = queue.pop()) {
      if (stop.has(value)) continue;
      if (this.graph.input(value)) inputs.add(value);
      const node = this.graph.producer(value);
      if (!node || nodes.has(node)) continue;
      nodes.add(node);
      if (!readsShapeOnly(node)) queue.push(...valuesRead(node));
    }
    return { nodes, inputs };
  }

  /** Nodes on the ways from the content of one value to another. */
  between(from: string, to: string): Set<NodeProto> {
    return intersection(this.sources([to], new Set([from])).nodes, this.dependents([from]));
  }
}

export function intersection<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): Set<T> {
  return new Set([...a].filter((item) => b.has(item)));
}
