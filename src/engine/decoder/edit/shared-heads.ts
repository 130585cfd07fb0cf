/**
 * Keys and values of heads that several query heads share, without the copies that exporters make of them. Exported from
 * PyTorch they are repeated, head by head, for each query head of their group (Unsqueeze, Expand, Reshape); here the query
 * heads of a group are put one below the other instead, which gives the same products of fewer, larger matrices.
 */
import { intsAttribute } from '../../onnx/graph/attributes.js';
import { copyModel } from '../../onnx/file/model-file.js';
import { Graph } from '../../onnx/graph/graph.js';
import { Operators } from '../../onnx/graph/operators.js';
import { elementCount, tensorDims, tensorToIntegers } from '../../onnx/graph/tensor.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { isRenaming, readsShapeOnly } from '../read/data-flow.js';
import type { Decoder } from '../decoder.js';
import { dimensionsOf, isSameDimension, type Dimension } from '../read/dimensions.js';
import { rereadDecoder } from '../read/read-decoder.js';

/** A value [rows, heads, positions, width] whose heads are repeated. */
interface Repetition {
  /** Before: [rows, heads / copies, positions, width]. */
  source: string;
  /** The Reshape that gives the repeated value. */
  reshape: NodeProto;
  /** What asks for the repeated value's shape. */
  shapes: NodeProto[];
  /** The matrix products that it, scaled or transposed, is the second operand of. */
  products: NodeProto[];
}

/**
 * Results stay the same but for the order of sums in the products. Repetitions in forms that are not known stay.
 * @returns a copy; the decoder itself where nothing is repeated
 */
export function withoutRepetitions(decoder: Decoder): Decoder {
  if (repetitionsIn(decoder.graph).length === 0) return decoder;
  const model = copyModel(decoder.model);
  const graph = new Graph(model.graph);
  for (const repetition of repetitionsIn(graph)) rewrite(graph, repetition);
  graph.removeUnused();
  graph.sortNodes();
  return rereadDecoder(model, decoder);
}

function repetitionsIn(graph: Graph): Repetition[] {
  return graph.nodes.flatMap((node) => repetitionOf(graph, node) ?? []);
}

function repetitionOf(graph: Graph, reshape: NodeProto): Repetition | undefined {
  if (reshape.opType !== 'Reshape') return undefined;
  const expand = graph.producer(reshape.input[0]!);
  const unsqueeze = expand?.opType === 'Expand' ? graph.producer(expand.input[0]!) : undefined;
  if (unsqueeze?.opType !== 'Unsqueeze' || !isAt(graph, unsqueeze, 2)) return undefined;
  const expanded = dimensionsOf(graph, expand!.input[1]!);
  const merged = dimensionsOf(graph, reshape.input[1]!);
  if (expanded?.length !== 5 || merged?.length !== 4 || !isRepeated(expanded, merged)) return undefined;
  const readers = readersOf(graph, reshape.output[0]!);
  if (!readers || (readers.shapes.length > 0 && merged.some(isLeftOpen))) return undefined;
  return { source: unsqueeze.input[0]!, reshape, ...readers };
}

function isAt(graph: Graph, unsqueeze: NodeProto, axis: number): boolean {
  const tensor = graph.constant(unsqueeze.input[1] ?? '');
  const axes = tensor ? tensorToIntegers(tensor, undefined) : intsAttribute(unsqueeze, 'axes');
  return axes?.length === 1 && axes[0] === axis;
}

/** Whether the axis in the middle is the only one that grows, and is then merged with the heads before it. */
function isRepeated(expanded: readonly Dimension[], merged: readonly Dimension[]): boolean {
  const [rows, , copies, positions, width] = expanded;
  return (
    typeof copies === 'number' &&
    copies > 1 &&
    [rows, positions, width].every((dim, place) =>
      isSameDimension(dim!, [merged[0]!, merged[2]!, merged[3]!][place]!),
    )
  );
}

/** 0 and -1 in a Reshape stand for what its input has, and say nothing by themselves. */
function isLeftOpen(dimension: Dimension): boolean {
  return typeof dimension === 'number' && dimension < 1;
}

/** What reads a value, through scaling and transposition; undefined where something else reads it. */
function readersOf(graph: Graph, value: string): Pick<Repetition, 'shapes' | 'products'> | undefined {
  if (graph.isOutput(value)) return undefined;
  const all: Pick<Repetition, 'shapes' | 'products'> = { shapes: [], products: [] };
  for (const node of graph.consumers(value)) {
    if (readsShapeOnly(node) && node.attribute.length === 0) {
      // The shape of something transposed is not the Reshape's.
      if (graph.producer(value)?.opType !== 'Reshape') return undefined;
      all.shapes.push(node);
    } else if (node.opType === 'MatMul' && node.input[1] === value && node.input[0] !== value) {
      all.products.push(node);
    } else if (keepsHeads(graph, node, value)) {
      const further = readersOf(graph, node.output[0]!);
      if (!further) return undefined;
      all.products.push(...further.products);
    } else return undefined;
  }
  return all;
}

function keepsHeads(graph: Graph, node: NodeProto, value: string): boolean {
  if (isRenaming(node)) return node.output.length === 1;
  if (node.opType === 'Transpose') return intsAttribute(node, 'perm')?.join() === '0,1,3,2';
  if (node.opType !== 'Mul' && node.opType !== 'Div') return false;
  const other = graph.constant(node.input.find((name) => name !== value) ?? '');
  return other !== undefined && elementCount(tensorDims(other)) === 1;
}

function rewrite(graph: Graph, { source, reshape, shapes, products }: Repetition): void {
  const write = new Operators(graph, 'hopscotch.groups');
  for (const node of shapes) graph.replaceUses(node.output[0]!, reshape.input[1]!);
  graph.replaceUses(reshape.output[0]!, source, (node) => shapes.includes(node));
  const heads = write.gather(write.shape(source), [1], 0);
  for (const product of products) {
    const queries = product.input[0]!;
    const shape = write.shape(queries);
    const inner = write.gather(shape, [3], 0);
    const grouped = write.concat([write.integers([0]), heads, write.integers([-1]), inner], 0);
    graph.setInput(product, 0, write.reshape(queries, grouped));
    const result = product.output[0]!;
    graph.renameOutput(product, 0, graph.freshName('hopscotch.groups.product'));
    const apart = write.concat([write.gather(shape, [0, 1, 2], 0), write.integers([-1])], 0);
    const restored = write.reshape(product.output[0]!, apart);
    graph.replaceUses(product.output[0]!, restored, (node) => node === graph.producer(restored));
    graph.renameOutput(graph.producer(restored)!, 0, result);
  }
}
