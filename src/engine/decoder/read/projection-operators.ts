/**
 * Products with a weight, plain and quantised: which constant each output channel is proportional to (the weight, or its
 * quantisation scales), and where the bias is.
 */
import { intAttribute, intsAttribute } from '../../onnx/graph/attributes.js';
import type { NodeProto, TensorProto } from '../../onnx/file/onnx_pb.js';
import { elementCount, tensorDims } from '../../onnx/graph/tensor.js';
import { isRenaming, type DataFlow } from './data-flow.js';
import type { Projection, Use } from '../decoder.js';

type Reader = (flow: DataFlow, node: NodeProto) => Projection | undefined;

const READERS: Readonly<Record<string, Reader>> = {
  MatMul: (flow, node) => plainProduct(flow, node),
  Gemm: (flow, node) => plainProduct(flow, node, { transpose: 'transB', bias: 2 }),
  FusedMatMul: (flow, node) => plainProduct(flow, node, { transpose: 'transB' }),
  MatMulNBits: nBitsProduct,
  MatMulBnb4: bnb4Product,
  MatMulIntegerToFloat: (flow, node) => integerProduct(flow, node, { scale: 3, zeroPoint: 5, bias: 6 }),
  DynamicQuantizeMatMul: (flow, node) => integerProduct(flow, node, { scale: 2, zeroPoint: 3, bias: 4 }),
  LayerNormalization: normGain,
  SimplifiedLayerNormalization: normGain,
  RMSNormalization: normGain,
  Mul: (flow, node) => scaledIntegers(flow, node) ?? gainFactor(flow, node),
};

/** The projection that the node is the end of, or undefined. */
export function asProjection(flow: DataFlow, node: NodeProto): Projection | undefined {
  return READERS[node.opType]?.(flow, node);
}

function plainProduct(
  flow: DataFlow,
  node: NodeProto,
  form: { transpose?: string; bias?: number } = {},
): Projection | undefined {
  if (!flow.isConstant(node.input[1]!)) return undefined;
  const says = form.transpose !== undefined && intAttribute(node, form.transpose, 0) !== 0;
  const { use, transposed } = weightBehind(flow, { node, index: 1 });
  const value = valueOf(use);
  const producer = flow.graph.producer(value);
  const outputChannelFirst = says !== transposed;
  const tensor = flow.graph.constant(value);
  if (producer?.opType === 'DequantizeLinear') {
    return withBias(flow, dequantised(flow, node, producer, outputChannelFirst), form.bias);
  }
  if (tensor?.dims.length !== 2) return undefined;
  const dims = tensorDims(tensor);
  const channels = outputChannelFirst ? dims[0]! : dims[1]!;
  return withBias(flow, projection(node, use, channels, outputChannelFirst), form.bias);
}

function projection(
  node: NodeProto,
  weightUse: Use,
  channels: number,
  outputChannelFirst: boolean,
): Projection {
  const weight = valueOf(weightUse);
  return { node, weight, weightUse, outputChannelFirst, channels, bias: undefined, biasUse: undefined };
}

function withBias(
  flow: DataFlow,
  found: Projection | undefined,
  index: number | undefined,
): Projection | undefined {
  const bias = index === undefined ? undefined : found?.node.input[index];
  if (!found || !bias || index === undefined || !hasElements(flow, bias)) return found;
  return { ...found, bias, biasUse: { node: found.node, index } };
}

/** An initializer, Constant or DequantizeLinear, through a Transpose, Cast or Identity. */
function weightBehind(flow: DataFlow, first: Use): { use: Use; transposed: boolean } {
  let use = first;
  let transposed = false;
  for (;;) {
    const node = flow.graph.constant(valueOf(use)) ? undefined : flow.graph.producer(valueOf(use));
    const isTranspose =
      node?.opType === 'Transpose' && (intsAttribute(node, 'perm') ?? [1, 0]).join() === '1,0';
    if (!node || !(isTranspose || isRenaming(node))) return { use, transposed };
    if (isTranspose) transposed = !transposed;
    use = { node, index: 0 };
  }
}

/**
 * DequantizeLinear: inputs x, scale, zero point; one scale, one for each place along `axis`, or one a block (ONNX
 * operator specification).
 */
function dequantised(
  flow: DataFlow,
  node: NodeProto,
  dequantise: NodeProto,
  outputChannelFirst: boolean,
): Projection | undefined {
  const weight = flow.graph.constant(dequantise.input[0]!);
  const scale = flow.graph.constant(dequantise.input[1]!);
  if (weight?.dims.length !== 2 || !scale) return undefined;
  const axis = outputChannelFirst ? 0 : 1;
  const channels = tensorDims(weight)[axis]!;
  const isAlongOutput = (intAttribute(dequantise, 'axis', 1) + 2) % 2 === axis;
  if (scale.dims.length === 1 && elementCount(tensorDims(scale)) > 1 && !isAlongOutput) return undefined;
  return {
    ...projection(node, { node: dequantise, index: 1 }, channels, outputChannelFirst),
    quantised: {
      channelAxis: { node: dequantise, axis },
      zeroPoint: dequantise.input[2] ? { node: dequantise, index: 2 } : undefined,
    },
  };
}

/** Inputs: A, B [N, blocks, bytes], scales [N, blocks] or flat, zero points, g_idx, bias (com.microsoft.MatMulNBits). */
function nBitsProduct(flow: DataFlow, node: NodeProto): Projection | undefined {
  const channels = intAttribute(node, 'N');
  if (channels === undefined || !flow.graph.constant(node.input[2]!)) return undefined;
  return withBias(flow, projection(node, { node, index: 2 }, channels, true), 5);
}

/**
 * Inputs: A, B packed, one factor a block (com.microsoft.MatMulBnb4). The weight [N, K] is cut into blocks row by row, so
 * each output channel has factors of its own where a row is some whole blocks.
 */
function bnb4Product(flow: DataFlow, node: NodeProto): Projection | undefined {
  const [channels, inner] = [intAttribute(node, 'N'), intAttribute(node, 'K', 0)];
  const isWhole = inner % intAttribute(node, 'block_size', 64) === 0;
  if (channels === undefined || !isWhole || !flow.graph.constant(node.input[2]!)) return undefined;
  return projection(node, { node, index: 2 }, channels, true);
}

/** com.microsoft.MatMulIntegerToFloat and DynamicQuantizeMatMul: one scale, or one an output channel. */
function integerProduct(
  flow: DataFlow,
  node: NodeProto,
  inputs: { scale: number; zeroPoint: number; bias: number },
): Projection | undefined {
  const weight = flow.graph.constant(node.input[1]!);
  if (weight?.dims.length !== 2 || !flow.graph.constant(node.input[inputs.scale]!)) return undefined;
  const use = { node, index: inputs.scale };
  const found: Projection = {
    ...projection(node, use, tensorDims(weight)[1]!, false),
    quantised: {
      zeroPoint: node.input[inputs.zeroPoint] ? { node, index: inputs.zeroPoint } : undefined,
    },
  };
  return withBias(flow, found, inputs.bias);
}

/** Cast(MatMulInteger) times the product of the input's and the weight's scale, as onnxruntime's quantiser writes it. */
function scaledIntegers(flow: DataFlow, node: NodeProto): Projection | undefined {
  const index = node.input.findIndex(
    (value) => flow.graph.producer(flow.origin(value))?.opType === 'MatMulInteger',
  );
  if (index < 0) return undefined;
  const product = flow.graph.producer(flow.origin(node.input[index]!))!;
  const weight = flow.graph.constant(product.input[1]!);
  const scales = flow.graph.producer(node.input[1 - index]!);
  const scale = scales?.opType === 'Mul' ? scales.input.findIndex((value) => flow.graph.constant(value)) : -1;
  if (weight?.dims.length !== 2 || !scales || scale < 0) return undefined;
  return projection(product, { node: scales, index: scale }, tensorDims(weight)[1]!, false);
}

/** A norm of the block's result: its gain scales the channels (Gemma 2 and 3). */
function normGain(flow: DataFlow, node: NodeProto): Projection | undefined {
  const channels = widthOf(flow, node.input[1]);
  if (channels === undefined) return undefined;
  return withBias(flow, projection(node, { node, index: 1 }, channels, false), 2);
}

/** A factor for each channel: the gain of a norm that is spelled out, or a layer scale. */
function gainFactor(flow: DataFlow, node: NodeProto): Projection | undefined {
  const index = node.input.findIndex((value) => flow.isConstant(value));
  const channels = index < 0 ? undefined : widthOf(flow, node.input[index]);
  if (channels === undefined || channels < 2) return undefined;
  return projection(node, { node, index }, channels, false);
}

/** Elements of a constant vector, which may be computed from another (1 + weight). */
function widthOf(flow: DataFlow, value: string | undefined): number | undefined {
  if (!value || !flow.isConstant(value)) return undefined;
  const vectors = constantsBehind(flow, value).map(tensorDims);
  const dims = vectors.reduce((a, b) => (elementCount(b) > elementCount(a) ? b : a), []);
  return elementCount(dims) === dims.at(-1) ? dims.at(-1) : undefined;
}

function constantsBehind(flow: DataFlow, value: string): TensorProto[] {
  const tensor = flow.graph.constant(value);
  if (tensor) return [tensor];
  return (flow.graph.producer(value)?.input ?? []).flatMap((input) => constantsBehind(flow, input));
}

function hasElements(flow: DataFlow, value: string): boolean {
  const tensor = flow.constantBehind(value);
  return tensor === undefined || elementCount(tensorDims(tensor)) > 0;
}

function valueOf(use: Use): string {
  return use.node.input[use.index]!;
}
