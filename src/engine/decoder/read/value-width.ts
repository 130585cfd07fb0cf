/** The last dimension of a value, found out from the product, bias or constant shape that it comes from. */
import { intAttribute, intsAttribute } from '../../onnx/graph/attributes.js';
import type { Graph } from '../../onnx/graph/graph.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { tensorDims, tensorToIntegers } from '../../onnx/graph/tensor.js';

/** Operators behind which nothing can be said if they say nothing themselves. */
const SHAPING_OPERATORS = new Set([
  'MatMul',
  'Gemm',
  'FusedMatMul',
  'MatMulNBits',
  'MatMulBnb4',
  'Reshape',
  'Split',
]);

/**
 * @param folder the model's, for constants in external files
 * @returns undefined where neither the node that makes the value nor one before it that keeps the width (a norm, a
 *   rotation, a Cast) says it
 */
export function valueWidth(graph: Graph, value: string, folder: string | undefined): number | undefined {
  let name = value;
  for (let node = graph.producer(name); node; node = graph.producer(name)) {
    const width = widthSaid(graph, node, name, folder);
    if (width !== undefined) return width;
    const next = node.input.find((input) => input !== '' && !graph.constant(input));
    if (next === undefined || SHAPING_OPERATORS.has(node.opType)) return undefined;
    name = next;
  }
  return undefined;
}

function widthSaid(
  graph: Graph,
  node: NodeProto,
  output: string,
  folder: string | undefined,
): number | undefined {
  const integers = (index: number) => {
    const tensor = graph.constant(node.input[index] ?? '');
    return tensor && tensorToIntegers(tensor, folder);
  };
  switch (node.opType) {
    case 'MatMulNBits':
    case 'MatMulBnb4':
      return intAttribute(node, 'N');
    case 'MatMul':
    case 'Gemm':
    case 'FusedMatMul':
      return weightDims(graph, node.input[1]!)?.at(intAttribute(node, 'transB', 0) === 0 ? -1 : -2);
    case 'Add': {
      const bias = node.input
        .map((input) => graph.constant(input))
        .find((tensor) => tensor?.dims.length === 1);
      return bias && tensorDims(bias)[0];
    }
    case 'Reshape': {
      const last = integers(1)?.at(-1);
      return last !== undefined && last > 0 ? last : undefined;
    }
    case 'Split':
      return integers(1)?.[node.output.indexOf(output)];
    default:
      return undefined;
  }
}

/** Dimensions of a weight, which may be transposed or dequantised on its way. */
function weightDims(graph: Graph, value: string): number[] | undefined {
  const tensor = graph.constant(value);
  if (tensor) return tensorDims(tensor);
  const node = graph.producer(value);
  const dims = node && weightDims(graph, node.input[0]!);
  if (!node || !dims) return undefined;
  if (node.opType === 'Transpose') {
    const axes = intsAttribute(node, 'perm') ?? [...dims.keys()].toReversed();
    return axes.map((axis) => dims[axis]!);
  }
  return ['Cast', 'Identity', 'DequantizeLinear'].includes(node.opType) ? dims : undefined;
}
