/** The weights of a decoder that can be kept in codes: those of products with activations, and the token embedding. */
import type { Decoder } from '../../decoder/decoder.js';
import { DataFlow } from '../../decoder/read/data-flow.js';
import { asProjection } from '../../decoder/read/projection-operators.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { floatAttribute, intAttribute, intsAttribute } from '../../onnx/graph/attributes.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { elementCount, tensorDims } from '../../onnx/graph/tensor.js';
import { GATHERS } from '../../decoder/read/find-embedding.js';
import { floatRows, packedRows, type RowsOfWeight } from './weight-rows.js';

/** A product with a weight, x W', and a bias that the same node adds. */
export interface Product {
  node: NodeProto;
  weight: RowsOfWeight;
  /** The value that is multiplied, [..., inputs]. */
  x: string;
  bias: string | undefined;
}

/** The Gather that takes rows of the embedding. */
export interface Table {
  node: NodeProto;
  weight: RowsOfWeight;
}

export interface DecoderWeights {
  products: readonly Product[];
  table: Table | undefined;
}

/** Weights of fewer outputs are left as they are: routers of experts, whose choices hang on little. */
const FEWEST_ROWS = 16;

/** Rows of fewer inputs would take more bytes in scales than they save. */
const FEWEST_COLUMNS = 16;

export function weightsOf(decoder: Decoder): DecoderWeights {
  const flow = new DataFlow(decoder.graph);
  return {
    products: decoder.graph.nodes.flatMap((node) => productOf(flow, node) ?? []),
    table: tableOf(flow, decoder),
  };
}

function productOf(flow: DataFlow, node: NodeProto): Product | undefined {
  const weight = node.opType === 'MatMulNBits' ? packedProduct(flow, node) : plainWeight(flow, node);
  if (!weight || weight.rows < FEWEST_ROWS || weight.columns < FEWEST_COLUMNS) return undefined;
  const x = node.input[0]!;
  if (flow.isConstant(x)) return undefined;
  const bias = node.opType === 'MatMulNBits' ? node.input[5] : node.input[2];
  return { node, weight, x, bias: bias === '' ? undefined : bias };
}

function plainWeight(flow: DataFlow, node: NodeProto): RowsOfWeight | undefined {
  const isPlain =
    node.opType === 'MatMul' ||
    ((node.opType === 'Gemm' || node.opType === 'FusedMatMul') &&
      ['alpha', 'beta'].every((name) => floatAttribute(node, name, 1) === 1) &&
      ['transA', 'transBatchA', 'transBatchB'].every((name) => intAttribute(node, name, 0) === 0));
  const found = isPlain ? asProjection(flow, node) : undefined;
  if (!found || found.quantised) return undefined;
  const tensor = flow.graph.constant(found.weight);
  return tensor && floatRows(tensor, found.weight, !found.outputChannelFirst);
}

function packedProduct({ graph }: DataFlow, node: NodeProto): RowsOfWeight | undefined {
  const [rows, columns, block] = (['N', 'K', 'block_size'] as const).map((name) =>
    intAttribute(node, name, 0),
  );
  // Its columns may be in another order (g_idx).
  if (intAttribute(node, 'bits', 4) !== 8 || node.input[4]) return undefined;
  const [, codes, scales, zeros] = node.input as [string, string, string, string?];
  return packedRows(graph, { codes, scales, zeros, rows: rows!, columns: columns!, block: block! });
}

/** Rows that are taken of the table that the tokens index. */
function tableOf(flow: DataFlow, { graph, inputs, embeddingRows }: Decoder): Table | undefined {
  for (const node of graph.nodes) {
    if (!GATHERS.has(node.opType) || intAttribute(node, gatherAxis(node), 0) !== 0) continue;
    const [data, indices] = node.input as [string, string];
    if (!flow.isConstant(data) || !flow.sources([indices], new Set()).inputs.has(inputs.tokens)) continue;
    const weight = node.opType === 'Gather' ? tableBehind(flow, data) : packedTable(flow, node);
    if (weight?.rows === embeddingRows && weight.columns >= FEWEST_COLUMNS) return { node, weight };
  }
  return undefined;
}

function gatherAxis({ opType }: NodeProto): string {
  return opType === 'Gather' ? 'axis' : 'gather_axis';
}

/** Of com.microsoft.GatherBlockQuantized, whose codes may be those of the head, reshaped. */
function packedTable(flow: DataFlow, node: NodeProto): RowsOfWeight | undefined {
  const [data, , scales, zeros] = node.input as [string, string, string, string?];
  const source = flow.graph.producer(data);
  const codes = source?.opType === 'Reshape' ? source.input[0]! : data;
  const tensor = flow.graph.constant(codes);
  if (intAttribute(node, 'bits', 4) !== 8 || tensor?.dataType !== DataType.UINT8) return undefined;
  const [rows, ...rest] = tensorDims(tensor);
  const block = intAttribute(node, 'block_size', 128);
  return packedRows(flow.graph, { codes, scales, zeros, rows: rows!, columns: elementCount(rest), block });
}

function tableBehind({ graph }: DataFlow, value: string): RowsOfWeight | undefined {
  let name = value;
  let transposed = false;
  for (;;) {
    const tensor = graph.constant(name);
    if (tensor) return floatRows(tensor, name, transposed);
    const node = graph.producer(name);
    const turns = node?.opType === 'Transpose' && (intsAttribute(node, 'perm') ?? [1, 0]).join() === '1,0';
    if (!node || !(turns || node.opType === 'Cast' || node.opType === 'Identity')) return undefined;
    if (turns) transposed = !transposed;
    name = node.input[0]!;
  }
}
