/** Which values of a graph are computed from which, told apart from those that only read a value's shape. */
import type { Graph } from '../../onnx/graph/graph.js';
import { valuesRead } from '../../onnx/graph/node.js';
import type { NodeProto, TensorProto } from '../../onnx/file/onnx_pb.js';
import type { Use } from '../decoder.js';

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

  /** @param graph which values are constant is found once; the graph should not change while this is in use */
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
   * @param stop values behind which the search does not go; those that it came to are `reached`
   */
  sources(values: Iterable<string>, stop: ReadonlySet<string>): Sources {
    const nodes = new Set<NodeProto>();
    const inputs = new Set<string>();
    const reached = new Set<string>();
    const queue = [...values];
    for (let value = queue.pop(); value !== undefined; value = queue.pop()) {
      if (stop.has(value)) {
        reached.add(value);
        continue;
      }
      if (this.graph.input(value)) inputs.add(value);
      const node = this.graph.producer(value);
      if (!node || nodes.has(node)) continue;
      nodes.add(node);
      if (!readsShapeOnly(node)) queue.push(...valuesRead(node));
    }
    return { nodes, inputs, reached };
  }

  /** Nodes on the ways from the content of some values to others, without the search going far from these. */
  between(from: readonly string[], to: readonly string[]): Set<NodeProto> {
    const within = this.sources(to, new Set(from)).nodes;
    const found = new Set<NodeProto>();
    const queue = [...from];
    for (let value = queue.pop(); value !== undefined; value = queue.pop()) {
      for (const node of this.readers(value)) {
        if (!within.has(node) || found.has(node)) continue;
        found.add(node);
        queue.push(...node.output);
      }
    }
    return found;
  }
}

export interface Sources {
  nodes: Set<NodeProto>;
  /** Graph inputs. */
  inputs: Set<string>;
  reached: Set<string>;
}

/** Nodes that some graph output needs, be it for the shape of a value only. */
export function liveNodes(graph: Graph): Set<NodeProto> {
  const nodes = new Set<NodeProto>();
  const queue = graph.outputs.map((output) => output.name);
  for (let value = queue.pop(); value !== undefined; value = queue.pop()) {
    const node = graph.producer(value);
    if (!node || nodes.has(node)) continue;
    nodes.add(node);
    queue.push(...valuesRead(node));
  }
  return nodes;
}
