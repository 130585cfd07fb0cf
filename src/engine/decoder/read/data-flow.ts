/** Which values of a graph are computed from which, told apart from those that only read a value's shape. */
import { DataType } from '../../onnx/graph/data-types.js';
import type { Graph } from '../../onnx/graph/graph.js';
import { valuesRead } from '../../onnx/graph/node.js';
import { elementCount, tensorDims, tensorToIntegers } from '../../onnx/graph/tensor.js';
import type { NodeProto, TensorProto } from '../../onnx/file/onnx_pb.js';
import { producersOf, reach, valuesBefore } from '../../onnx/graph/walk.js';
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
  readonly #dynamic: ReadonlySet<string>;

  /** @param graph which values are constant is found once; the graph should not change while this is in use */
  constructor(readonly graph: Graph) {
    this.#dynamic = reach(
      graph.inputs.map((input) => input.name),
      (value) => graph.consumers(value).flatMap(resultsOf),
    );
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

  /** The one integer that a constant holds. */
  integer(value: string | undefined): number | undefined {
    const tensor = value === undefined ? undefined : this.graph.constant(value);
    if (tensor?.dataType !== DataType.INT64 && tensor?.dataType !== DataType.INT32) return undefined;
    return elementCount(tensorDims(tensor)) === 1 ? tensorToIntegers(tensor, undefined)[0] : undefined;
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
    const renamed = reach([value], (name) =>
      this.readers(name).flatMap((node) => (isRenaming(node) ? [node.output[0]!] : [])),
    );
    return [...renamed].flatMap((alias) =>
      this.readers(alias)
        .filter((node) => !isRenaming(node))
        .flatMap((node) => node.input.flatMap((name, index) => (name === alias ? [{ node, index }] : []))),
    );
  }

  /** Nodes whose results depend on the content of the values. */
  dependents(values: Iterable<string>): Set<NodeProto> {
    return this.#readersBehind([...values], () => true);
  }

  /** Nodes that some hold for, that read the content of the values or of what such nodes make of it. */
  #readersBehind(values: readonly string[], holds: (node: NodeProto) => boolean): Set<NodeProto> {
    const readersOf = (names: readonly string[]) => names.flatMap((name) => this.readers(name)).filter(holds);
    return reach(readersOf(values), (node) => readersOf(node.output));
  }

  /**
   * Everything that the values' content is computed from.
   * @param stop values behind which the search does not go; those that it came to are `reached`
   */
  sources(values: Iterable<string>, stop: ReadonlySet<string>): Sources {
    const before = reach(values, (value) => {
      const node = stop.has(value) ? undefined : this.graph.producer(value);
      return node && !readsShapeOnly(node) ? valuesRead(node) : [];
    });
    const reached = new Set([...before].filter((value) => stop.has(value)));
    for (const value of reached) before.delete(value);
    const inputs = new Set([...before].filter((value) => this.graph.input(value)));
    return { nodes: producersOf(this.graph, before), inputs, reached };
  }

  /** Nodes on the ways from the content of some values to others, without the search going far from these. */
  between(from: readonly string[], to: readonly string[]): Set<NodeProto> {
    const within = this.sources(to, new Set(from)).nodes;
    return this.#readersBehind(from, (node) => within.has(node));
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
  const outputs = graph.outputs.map((output) => output.name);
  return producersOf(graph, valuesBefore(graph, outputs));
}

/** The results that a node has, optional ones that it lacks left out. */
function resultsOf(node: NodeProto): string[] {
  return node.output.filter((name) => name !== '');
}
