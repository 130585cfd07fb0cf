/** What a shape that a graph computes consists of: numbers, and sizes of other values. */
import { intAttribute } from '../../onnx/graph/attributes.js';
import type { Graph } from '../../onnx/graph/graph.js';
import { tensorToIntegers } from '../../onnx/graph/tensor.js';

/** A number, the size of a value's axis, or what is computed in another way, by its name. */
export type Dimension = number | { value: string; axis: number } | string;

/**
 * The parts of an int64 vector: a constant, or a Concat of sizes, as PyTorch's exporters write the arguments of `expand`
 * and `reshape`.
 * @returns undefined where it is made in another way
 */
export function dimensionsOf(graph: Graph, shape: string): Dimension[] | undefined {
  const tensor = graph.constant(shape);
  if (tensor) return tensorToIntegers(tensor, undefined);
  const node = graph.producer(shape);
  switch (node?.opType) {
    case 'Concat':
      return node.input.flatMap((part) => partsOf(graph, part));
    // `expand` takes -1 for 'as it is': Where(shape == -1, 1, shape).
    case 'Where':
      return graph.producer(node.input[0]!)?.opType === 'Equal'
        ? dimensionsOf(graph, node.input[2]!)
        : undefined;
    case 'Reshape':
    case 'Identity':
    case 'Cast':
      return dimensionsOf(graph, node.input[0]!);
    default:
      return undefined;
  }
}

export function isSameDimension(one: Dimension, other: Dimension): boolean {
  if (typeof one === 'object' && typeof other === 'object')
    return one.value === other.value && one.axis === other.axis;
  return one === other;
}

/** The dimensions that one part of a Concat holds, mostly one. */
function partsOf(graph: Graph, part: string): Dimension[] {
  const tensor = graph.constant(part);
  if (tensor) return tensorToIntegers(tensor, undefined);
  const node = graph.producer(part);
  if (node?.opType === 'Unsqueeze' || node?.opType === 'Squeeze' || node?.opType === 'Reshape')
    return partsOf(graph, node.input[0]!);
  if (node?.opType === 'Shape') {
    const start = intAttribute(node, 'start', 0);
    if (intAttribute(node, 'end') === start + 1) return [{ value: node.input[0]!, axis: start }];
  }
  if (node?.opType === 'Gather') {
    const index = graph.constant(node.input[1]!);
    const source = graph.producer(node.input[0]!);
    const axes = index ? tensorToIntegers(index, undefined) : [];
    if (source?.opType === 'Shape' && source.attribute.length === 0 && axes.length === 1 && axes[0]! >= 0)
      return [{ value: source.input[0]!, axis: axes[0]! }];
  }
  return [part];
}
