/**
 * Attention without a guard for positions that see nothing. PyTorch's exporters put minus infinity where a position must not
 * look, and zeros in place of the NaN that a softmax then gives where all are masked: two passes over the largest values
 * of a layer. With a finite mask there is no NaN, and the guard can go.
 */
import { copyModel, opsetVersion } from '../../onnx/file/model-file.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { Graph } from '../../onnx/graph/graph.js';
import { Operators } from '../../onnx/graph/operators.js';
import { rereadDecoder } from '../read/read-decoder.js';
import type { Decoder } from '../decoder.js';

/** What stands for minus infinity: e to its power is 0 beside any score, and sums with scores stay finite. */
const LOWEST: ReadonlyMap<DataType, number> = new Map([
  [DataType.FLOAT, -1e30],
  [DataType.FLOAT16, -6e4],
]);

/** The first opset whose Clip takes its bounds as inputs and all types. */
const CLIP_OPSET = 12;

/** `Where(IsNaN(softmax), constant, softmax)`, with what the softmax is of. */
interface Guard {
  where: NodeProto;
  softmax: string;
  /** The addition of a mask to scores, and which of its inputs is the mask. */
  addition: NodeProto;
  maskInput: number;
  type: DataType;
}

const PRODUCTS = new Set(['MatMul', 'FusedMatMul', 'Einsum']);
const SCALINGS = new Set(['Mul', 'Div', 'Cast', 'Reshape', 'Tanh']);

/**
 * Results stay the same, but at positions that see nothing (padding on the left), where attention is a mean instead of zero:
 * no other position sees these. Guards in forms that are not known stay.
 * @returns a copy; the decoder itself where nothing is guarded
 */
export function withFiniteMasks(decoder: Decoder): Decoder {
  if ((opsetVersion(decoder.model) ?? 0) < CLIP_OPSET || guardsIn(decoder.graph).length === 0) return decoder;
  const model = copyModel(decoder.model);
  const graph = new Graph(model.graph);
  const write = new Operators(graph, 'hopscotch.finite_mask');
  const finite = new Map<string, string>();
  for (const { where, softmax, addition, maskInput, type } of guardsIn(graph)) {
    const mask = addition.input[maskInput]!;
    if (!finite.has(mask))
      finite.set(mask, write.clip(mask, write.scalar(LOWEST.get(type)!, type), undefined));
    graph.setInput(addition, maskInput, finite.get(mask)!);
    graph.replaceUses(where.output[0]!, softmax);
  }
  graph.removeUnused();
  graph.sortNodes();
  return rereadDecoder(model, decoder);
}

function guardsIn(graph: Graph): Guard[] {
  return graph.nodes.flatMap((node) => guardOf(graph, node) ?? []);
}

function guardOf(graph: Graph, where: NodeProto): Guard | undefined {
  if (where.opType !== 'Where' || graph.isOutput(where.output[0]!)) return undefined;
  const [condition, replacement, softmax] = where.input as [string, string, string];
  const isNaN = graph.producer(condition);
  if (isNaN?.opType !== 'IsNaN' || isNaN.input[0] !== softmax) return undefined;
  const type: DataType = graph.constant(replacement)?.dataType ?? DataType.UNDEFINED;
  const softmaxNode = graph.producer(softmax);
  const addition = softmaxNode?.opType === 'Softmax' ? graph.producer(softmaxNode.input[0]!) : undefined;
  if (!LOWEST.has(type) || addition?.opType !== 'Add') return undefined;
  const fromProduct = addition.input.map((input) => isScaledProduct(graph, input));
  if (fromProduct.filter(Boolean).length !== 1) return undefined;
  return { where, softmax, addition, maskInput: fromProduct.indexOf(false), type };
}

/** Whether a value comes from a product of matrices, scaled or capped. */
function isScaledProduct(graph: Graph, value: string): boolean {
  const node = graph.producer(value);
  if (!node) return false;
  return PRODUCTS.has(node.opType) || (SCALINGS.has(node.opType) && isScaledProduct(graph, node.input[0]!));
}
