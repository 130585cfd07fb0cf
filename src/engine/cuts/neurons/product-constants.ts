/** The constants of a product with a weight, by which of their axes goes along its inputs and which along its outputs. */
import type { DataFlow } from '../../decoder/read/data-flow.js';
import { isRenaming } from '../../decoder/read/data-flow.js';
import type { Use } from '../../decoder/decoder.js';
import { intAttribute, intsAttribute } from '../../onnx/graph/attributes.js';
import { elementBits, isFloatingPoint } from '../../onnx/graph/data-types.js';
import type { NodeProto, TensorProto } from '../../onnx/file/onnx_pb.js';
import { elementCount, tensorDims } from '../../onnx/graph/tensor.js';

/** A constant, and one of its axes as it lies in memory. */
export interface AxisConstant {
  use: Use;
  /** Places in front of the axis. */
  outer: number;
  /** Bits of what lies at each of them, and of each entry in it. */
  rowBits: number;
  entryBits: number;
  /** Whether rows are padded to whole bytes. */
  isPadded: boolean;
  /** Channels that an entry stands for: those of a block where the weight is quantised in blocks along the axis. */
  channels: number;
  /** The axis' place in the shape; undefined where the shape is flat. */
  axis: number | undefined;
}

/** What changes with the number of channels on one side of a product. */
export interface ProductSide {
  channels: number;
  constants: readonly AxisConstant[];
  /** The node's attribute that says how many there are. */
  attribute?: string;
}

export interface ProductConstants {
  node: NodeProto;
  inputs: ProductSide;
  outputs: ProductSide;
  /** Inputs that are quantised together: they can be removed together alone. */
  inputBlock: number;
  /** A plain weight of floats, [out, in] if `outputsFirst`; undefined where it is quantised. */
  weight: { use: Use; outputsFirst: boolean } | undefined;
  /** Why the channels of the inputs cannot be removed, in words that follow 'because'. */
  inputProblem?: string;
}

const READERS: Readonly<Record<string, (flow: DataFlow, node: NodeProto) => ProductConstants | undefined>> = {
  MatMul: (flow, node) => plain(flow, node, false),
  Gemm: (flow, node) => plain(flow, node, intAttribute(node, 'transB', 0) !== 0),
  FusedMatMul: (flow, node) => plain(flow, node, intAttribute(node, 'transB', 0) !== 0),
  MatMulNBits: nBits,
};

/** Products with weights in forms that cannot be cut here: what they compute must not be taken for something else. */
const OTHER_PRODUCTS = new Set([
  'MatMulBnb4',
  'MatMulInteger',
  'MatMulIntegerToFloat',
  'DynamicQuantizeMatMul',
  'QLinearMatMul',
  'Conv',
  'Einsum',
]);

/** Whether a node multiplies with a weight. */
export function isProduct(flow: DataFlow, node: NodeProto): boolean {
  if (OTHER_PRODUCTS.has(node.opType)) return true;
  return node.opType in READERS && (node.opType === 'MatMulNBits' || flow.isConstant(node.input[1]!));
}

/** @returns undefined if the product is of a form that is not known */
export function productConstants(flow: DataFlow, node: NodeProto): ProductConstants | undefined {
  return READERS[node.opType]?.(flow, node);
}

function plain(flow: DataFlow, node: NodeProto, isTransposed: boolean): ProductConstants | undefined {
  if (intAttribute(node, 'transA', 0) !== 0 || intAttribute(node, 'transBatchB', 0) !== 0) return undefined;
  let use: Use = { node, index: 1 };
  let outputsFirst = isTransposed;
  for (;;) {
    const value = use.node.input[use.index]!;
    const producer = flow.graph.constant(value) ? undefined : flow.graph.producer(value);
    if (!producer) break;
    const turns =
      producer.opType === 'Transpose' && (intsAttribute(producer, 'perm') ?? [1, 0]).join() === '1,0';
    if (producer.opType === 'DequantizeLinear') return dequantised(flow, node, producer, outputsFirst);
    if (!turns && !isRenaming(producer)) return undefined;
    // What is computed from the weight must be read here alone: other readers would get the cut weight as well.
    if (flow.graph.consumers(value).length > 1) return undefined;
    if (turns) outputsFirst = !outputsFirst;
    use = { node: producer, index: 0 };
  }
  const tensor = flow.graph.constant(use.node.input[use.index]!);
  if (tensor?.dims.length !== 2) return undefined;
  const axis = { outputs: outputsFirst ? 0 : 1, inputs: outputsFirst ? 1 : 0 };
  const side = (at: number) => ({
    channels: tensorDims(tensor)[at]!,
    constants: [alongAxis(use, tensor, at)],
  });
  const outputs = side(axis.outputs);
  const bias = node.opType === 'Gemm' ? biasOf(flow, { node, index: 2 }, outputs.channels) : [];
  return {
    node,
    inputs: side(axis.inputs),
    outputs: { ...outputs, constants: [...outputs.constants, ...bias] },
    inputBlock: 1,
    weight: isFloatingPoint(tensor.dataType) ? { use, outputsFirst } : undefined,
  };
}

/** DequantizeLinear: one scale, one for each place along `axis`, or one a block along it (ONNX operator specification). */
function dequantised(
  flow: DataFlow,
  node: NodeProto,
  dequantise: NodeProto,
  outputsFirst: boolean,
): ProductConstants | undefined {
  const [data, ...scales] = [0, 1, 2].map((index) => flow.graph.constant(dequantise.input[index] ?? ''));
  if (data?.dims.length !== 2 || !scales[0] || (dequantise.input[2] && !scales[1])) return undefined;
  if (flow.graph.consumers(dequantise.output[0]!).length > 1) return undefined;
  const block = intAttribute(dequantise, 'block_size', 0);
  const along = (intAttribute(dequantise, 'axis', 1) + 2) % 2;
  const side = (axis: number): ProductSide => ({
    channels: tensorDims(data)[axis]!,
    constants: [
      alongAxis({ node: dequantise, index: 0 }, data, axis),
      ...scales.flatMap((tensor, index) => {
        if (!tensor || elementCount(tensorDims(tensor)) === 1) return [];
        const use = { node: dequantise, index: index + 1 };
        if (tensor.dims.length === 2)
          return [{ ...alongAxis(use, tensor, axis), channels: axis === along ? block : 1 }];
        return axis === along ? [alongAxis(use, tensor, 0)] : [];
      }),
    ],
  });
  const [outputAxis, inputAxis] = outputsFirst ? [0, 1] : [1, 0];
  // Neurons are one output each: blocks along the outputs could not be kept.
  if (block > 0 && along === outputAxis) return undefined;
  const outputs = side(outputAxis);
  const bias = node.opType === 'Gemm' ? biasOf(flow, { node, index: 2 }, outputs.channels) : [];
  return {
    node,
    inputs: side(inputAxis),
    outputs: { ...outputs, constants: [...outputs.constants, ...bias] },
    inputBlock: block > 0 ? block : 1,
    weight: undefined,
  };
}

/**
 * Inputs: A, B [N, blocks, bytes], scales [N, blocks] or flat, zero points (packed row by row, or floats), g_idx, bias
 * (com.microsoft.MatMulNBits).
 */
function nBits(flow: DataFlow, node: NodeProto): ProductConstants | undefined {
  const { graph } = flow;
  const [rows, inner] = [intAttribute(node, 'N'), intAttribute(node, 'K')];
  const [bits, block] = [intAttribute(node, 'bits', 4), intAttribute(node, 'block_size')];
  const constant = (index: number) => (node.input[index] ? graph.constant(node.input[index]) : undefined);
  const [packed, scales] = [constant(1), constant(2)];
  if (!rows || !inner || !block || !packed || !scales) return undefined;
  const blocks = Math.ceil(inner / block);
  const entry = (tensor: TensorProto, index: number, entryBits: number): TableConstant => ({
    use: { node, index },
    tensor,
    entryBits,
    rowBits: (elementCount(tensorDims(tensor)) * elementBits(tensor.dataType)) / rows,
  });
  const tables = [entry(packed, 1, block * bits), entry(scales, 2, elementBits(scales.dataType))];
  const zeros = constant(3);
  if (node.input[3] && !zeros) return undefined;
  if (zeros)
    tables.push(entry(zeros, 3, isFloatingPoint(zeros.dataType) ? elementBits(zeros.dataType) : bits));
  if (tables.some(({ rowBits, entryBits }) => rowBits < blocks * entryBits)) return undefined;
  const order = constant(4);
  return {
    node,
    inputs: {
      channels: inner,
      constants: tables.map((table) => ({
        use: table.use,
        outer: rows,
        rowBits: table.rowBits,
        entryBits: table.entryBits,
        isPadded: true,
        channels: block,
        axis: table.tensor.dims.length > 1 ? 1 : undefined,
      })),
      attribute: 'K',
    },
    outputs: {
      channels: rows,
      constants: [
        ...tables.map(({ use, rowBits, tensor }) => ({
          use,
          outer: 1,
          rowBits: rows * rowBits,
          entryBits: rowBits,
          isPadded: false,
          channels: 1,
          axis: tensor.dims.length > 1 ? 0 : undefined,
        })),
        ...biasOf(flow, { node, index: 5 }, rows),
      ],
      attribute: 'N',
    },
    inputBlock: block,
    weight: undefined,
    inputProblem:
      order && elementCount(tensorDims(order)) > 0
        ? 'its inputs are quantised in groups that do not lie side by side'
        : undefined,
  };
}

interface TableConstant {
  use: Use;
  tensor: TensorProto;
  entryBits: number;
  rowBits: number;
}

/** A bias of one number an output; none where the operand is left out, or is one number for all. */
function biasOf(flow: DataFlow, use: Use, channels: number): AxisConstant[] {
  const value = use.node.input[use.index];
  const tensor = value ? flow.graph.constant(value) : undefined;
  if (!tensor || tensorDims(tensor).at(-1) !== channels || channels === 1) return [];
  return [alongAxis(use, tensor, tensor.dims.length - 1)];
}

/** @param axis of the constant's shape */
export function alongAxis(use: Use, tensor: TensorProto, axis: number): AxisConstant {
  const dims = tensorDims(tensor);
  const entryBits = elementCount(dims.slice(axis + 1)) * elementBits(tensor.dataType);
  return {
    use,
    outer: elementCount(dims.slice(0, axis)),
    rowBits: dims[axis]! * entryBits,
    entryBits,
    isPadded: false,
    channels: 1,
    axis,
  };
}
