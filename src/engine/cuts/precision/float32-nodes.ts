/** What stays in float32 in a model of float16: sums of squares, which float16 ends below, and angles of positions. */
import { DataFlow } from '../../decoder/read/data-flow.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { intAttribute } from '../../onnx/graph/attributes.js';
import { isFloatingPoint } from '../../onnx/graph/data-types.js';
import type { Graph } from '../../onnx/graph/graph.js';
import { walk } from '../../onnx/graph/walk.js';
import { isFloat } from './float-values.js';

/** Norms that are spelled out go on over these, up to the product with what is normed. */
const NORM_OPERATORS = new Set('Sub Pow Mul ReduceMean Add Sqrt Reciprocal Div Cast'.split(' '));

export function float32Nodes(graph: Graph): Set<NodeProto> {
  const flow = new DataFlow(graph);
  const nodes = graph.nodes.flatMap((node) => {
    if (node.opType === 'ReduceMean' && isFloat(graph, node.output[0]!)) return spelledOutNorm(flow, node);
    if (node.opType === 'Cos' || node.opType === 'Sin') return floatsBehind(flow, node);
    // Positions and counts that are computed as floats: float16 has not all whole numbers above 2048.
    const toWhole = node.opType === 'Cast' && !isFloatingPoint(intAttribute(node, 'to', 1));
    return toWhole || node.opType === 'Range' ? floatsBehind(flow, node) : [];
  });
  return new Set(nodes);
}

/** The node and all nodes with floats that it is computed from. */
function floatsBehind({ graph }: DataFlow, start: NodeProto): NodeProto[] {
  const before = (node: NodeProto) =>
    node.input.flatMap((value) => {
      const producer = value === '' ? undefined : graph.producer(value);
      return producer && isFloat(graph, value) ? [producer] : [];
    });
  return [...walk([start], before)];
}

/** From the squares to the gain and bias behind the norm. */
function spelledOutNorm(flow: DataFlow, mean: NodeProto): NodeProto[] {
  const { graph } = flow;
  const squares = [graph.producer(mean.input[0]!)].filter(
    (node) => node !== undefined && (node.opType === 'Pow' || isSquare(node)),
  ) as NodeProto[];
  const next = (node: NodeProto): NodeProto[] => {
    if (isEnd(flow, node)) return withConstants(flow, node);
    return graph.consumers(node.output[0]!).filter((reader) => NORM_OPERATORS.has(reader.opType));
  };
  return [...squares, ...walk([mean], next)];
}

function isSquare(node: NodeProto): boolean {
  return node.opType === 'Mul' && node.input[0] === node.input[1];
}

/** Where the size of what is normed is divided by: two values that change meet, or a constant gain follows. */
function isEnd(flow: DataFlow, node: NodeProto): boolean {
  const isProduct = node.opType === 'Mul' || node.opType === 'Div';
  if (!isProduct || isSquare(node)) return false;
  return node.input.every((value) => !flow.isConstant(value)) || isGain(flow, node);
}

/**
 * Gain and bias behind the end of a norm. Those of one that takes the mean away are left to float16: onnxruntime makes one
 * operator of such a norm, whose gain must have the type of what is normed.
 */
function withConstants(flow: DataFlow, node: NodeProto): NodeProto[] {
  if (node.input.some((value) => flow.graph.producer(value)?.opType === 'Sub')) return [];
  const readers = flow.graph.consumers(node.output[0]!);
  return readers.length === 1 && (isGain(flow, readers[0]!) || isBias(flow, readers[0]!)) ? readers : [];
}

/** A factor for each channel. */
function isGain(flow: DataFlow, node: NodeProto): boolean {
  return node.opType === 'Mul' && node.input.some((value) => isVector(flow, value));
}

function isBias(flow: DataFlow, node: NodeProto): boolean {
  return node.opType === 'Add' && node.input.some((value) => isVector(flow, value));
}

/** A constant that is computed with, other than a single number. */
function isVector(flow: DataFlow, value: string): boolean {
  if (!flow.isConstant(value)) return false;
  const tensor = flow.constantBehind(value);
  return tensor === undefined || tensor.dims.some((dim) => dim > 1n);
}
