/** A graph of float32 or bfloat16 brought to float16: constants, casts, KV cache and logits. */
import type { GraphProto, NodeProto, TensorProto } from '../../onnx/file/onnx_pb.js';
import { intAttribute, removeAttribute, setAttribute, subgraphs } from '../../onnx/graph/attributes.js';
import { DataType, numberToFloat16 } from '../../onnx/graph/data-types.js';
import type { Graph } from '../../onnx/graph/graph.js';
import { constantTensor } from '../../onnx/graph/node.js';
import { Operators } from '../../onnx/graph/operators.js';
import { floatTensor, tensorDims, tensorToFloat32 } from '../../onnx/graph/tensor.js';
import { changeDeclaredType, declaredType } from '../../onnx/graph/value-info.js';
import { isFloat } from './float-values.js';
import { float32Nodes } from './float32-nodes.js';

/** The largest float16 is 65504. */
export const LARGEST_FLOAT16 = 65_504;

/** What bounds of masks become, so that the sum of two of them is a float16. */
const LARGEST_CONSTANT = LARGEST_FLOAT16 / 2;

export interface NarrowOptions {
  folder: string | undefined;
  /** Inputs and outputs that become float16, too; other inputs keep their types. */
  borders: ReadonlySet<string>;
  /** Constants that are as they should be. */
  ready: ReadonlySet<string>;
  /** Puts a constant of float16 in the place of one of the same name. */
  replace: (graph: Graph, tensor: TensorProto) => void;
}

export function narrowGraph(graph: Graph, options: NarrowOptions): void {
  const kept = float32Nodes(graph);
  const { wideInside, narrowInside } = bordersOf(graph, kept);
  const op = new Operators(graph, 'narrowed');
  const own = keepOwnConstants(graph, kept);
  for (const node of graph.nodes) if (!kept.has(node) && !own.has(node.output[0]!)) narrowNode(node);
  for (const tensor of graph.proto.initializer)
    if (isWide(tensor.dataType) && !own.has(tensor.name) && !options.ready.has(tensor.name))
      options.replace(graph, tensor);
  for (const value of [...graph.proto.input, ...graph.proto.output])
    if (options.borders.has(value.name)) changeDeclaredType(value, isWide, DataType.FLOAT16);
  for (const value of wideInside) {
    op.enter(`${value}/float32`);
    const wide = op.cast(value, DataType.FLOAT);
    graph.replaceUses(value, wide, (node) => !kept.has(node));
  }
  const wideInputs = graph.inputs.filter((input) => isWide(declaredType(input))).map(({ name }) => name);
  for (const value of [...narrowInside, ...wideInputs]) {
    op.enter(`${value}/float16`);
    const narrow = op.cast(value, DataType.FLOAT16);
    graph.replaceUses(value, narrow, (node) => kept.has(node) || node.output[0] === narrow);
  }
  graph.proto.valueInfo = [];
  graph.sortNodes();
}

function isWide(type: DataType | undefined): boolean {
  return type === DataType.FLOAT || type === DataType.BFLOAT16;
}

/** Values that what stays in float32 reads from outside, and those that others read of it. */
function bordersOf(graph: Graph, kept: ReadonlySet<NodeProto>) {
  const wideInside = new Set<string>();
  const narrowInside = new Set<string>();
  for (const node of kept) {
    for (const value of node.input) {
      const producer = value === '' ? undefined : graph.producer(value);
      const isOutside = producer ? !kept.has(producer) : false;
      if (isOutside && !graph.constant(value) && isFloat(graph, value)) wideInside.add(value);
    }
    for (const value of node.output) {
      if (value !== '' && isFloat(graph, value) && graph.consumers(value).some((reader) => !kept.has(reader)))
        narrowInside.add(value);
    }
  }
  return { wideInside, narrowInside };
}

/** Constants that what stays in float32 reads: copies of its own where others read them as well. */
function keepOwnConstants(graph: Graph, kept: ReadonlySet<NodeProto>): Set<string> {
  const own = new Set<string>();
  const copies = new Map<string, string>();
  for (const node of kept) {
    node.input.forEach((value, index) => {
      const tensor = value === '' ? undefined : graph.constant(value);
      if (!tensor || !isWide(tensor.dataType)) return;
      if (graph.consumers(value).every((reader) => kept.has(reader))) {
        own.add(value);
        return;
      }
      let name = copies.get(value);
      if (name === undefined) {
        name = graph.freshName(`${value}.float32`);
        graph.addInitializer(
          Object.assign(Object.create(Object.getPrototypeOf(tensor) as object), tensor, { name }),
        );
        copies.set(value, name);
        own.add(name);
      }
      graph.setInput(node, index, name);
    });
  }
  return own;
}

function narrowNode(node: NodeProto): void {
  if (node.opType === 'Constant') {
    const tensor = constantTensor(node);
    if (tensor && isWide(tensor.dataType)) {
      for (const name of ['value_float', 'value_floats']) removeAttribute(node, name);
      setAttribute(node, 'value', narrowTensor(tensor, undefined));
    }
    return;
  }
  for (const { name, t } of node.attribute)
    if (t && isWide(t.dataType)) setAttribute(node, name, narrowTensor(t, undefined));
  for (const name of ['to', 'dtype', 'output_dtype'])
    if (isWide(intAttribute(node, name))) setAttribute(node, name, DataType.FLOAT16);
  // Its value is float32 where none is given.
  if (node.opType === 'ConstantOfShape' && node.attribute.length === 0)
    setAttribute(node, 'value', floatTensor('', [1], [0], DataType.FLOAT16));
  for (const inner of subgraphs(node)) narrowInner(inner);
}

function narrowInner(graph: GraphProto): void {
  graph.initializer = graph.initializer.map((tensor) =>
    isWide(tensor.dataType) ? narrowTensor(tensor, undefined) : tensor,
  );
  graph.valueInfo = [];
  for (const output of graph.output) changeDeclaredType(output, isWide, DataType.FLOAT16);
  for (const node of graph.node) narrowNode(node);
}

/** In float16, bounded. */
export function narrowTensor(tensor: TensorProto, folder: string | undefined): TensorProto {
  const values = tensorToFloat32(tensor, folder);
  return floatTensor(tensor.name, tensorDims(tensor), values.map(bounded), DataType.FLOAT16);
}

/** Infinite values stay. */
function bounded(value: number): number {
  if (!Number.isFinite(value)) return value;
  return Math.min(LARGEST_CONSTANT, Math.max(-LARGEST_CONSTANT, value));
}

/** The bytes of a constant in float16. */
export function narrowBytes(tensor: TensorProto, folder: string | undefined): Uint8Array {
  const values = Uint16Array.from(tensorToFloat32(tensor, folder), (value) =>
    numberToFloat16(bounded(value)),
  );
  return new Uint8Array(values.buffer);
}
