/**
 * Splitting onnxruntime's fused norms, so that everything that reads a decoder finds the embedding and each residual
 * addition as nodes of their own. joinNorms is the way back.
 *
 * - SkipLayerNormalization, SkipSimplifiedLayerNormalization: sum = input + skip (+ bias), output = norm(sum)
 * - EmbedLayerNormalization: sum = word[ids] + position[positions] (+ segment[segments]), output = norm(sum)
 * (onnxruntime's contributed operators, of these operators).
 */
import { UserError } from '../../../schema/errors.js';
import { float, floatAttribute } from '../../onnx/graph/attributes.js';
import type { Graph } from '../../onnx/graph/graph.js';
import { describeNode } from '../../onnx/graph/node.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { Operators } from '../../onnx/graph/operators.js';

export type FusedNorm =
  'SkipLayerNormalization' | 'SkipSimplifiedLayerNormalization' | 'EmbedLayerNormalization';

const FUSED: ReadonlySet<string> = new Set<FusedNorm>([
  'SkipLayerNormalization',
  'SkipSimplifiedLayerNormalization',
  'EmbedLayerNormalization',
]);

export function isFusedNorm(node: NodeProto): boolean {
  return node.domain === 'com.microsoft' && FUSED.has(node.opType);
}

const DEFAULT_EPSILON = 1e-12;

/** Products with weights, whose biases onnxruntime moves into the fused norm that follows. */
const PRODUCT = /MatMul|Gemm/;

/**
 * Splits every fused norm of the graph.
 * @returns which there were
 * @throws UserError if an optional result is used that the parts do not give
 */
export function splitNorms(graph: Graph): Set<FusedNorm> {
  const fused = graph.nodes.filter(isFusedNorm);
  for (const node of fused) {
    graph.removeNodes(new Set([node]));
    if (node.opType === 'EmbedLayerNormalization') splitEmbedding(graph, node);
    else splitSkip(graph, node);
  }
  if (fused.length > 0) graph.sortNodes();
  return new Set(fused.map((node) => node.opType as FusedNorm));
}

/** Inputs: input, skip, gamma, then beta (not for RMS norms), bias. Outputs: output, mean, deviation, sum. */
function splitSkip(graph: Graph, node: NodeProto): void {
  const isRms = node.opType === 'SkipSimplifiedLayerNormalization';
  const [input, skip, gain] = node.input as [string, string, string];
  const shift = isRms ? undefined : node.input[3];
  const bias = node.input[isRms ? 3 : 4];
  const op = new Operators(graph, nameOf(node));
  let [first, second] = [input, skip];
  if (bias) {
    if (PRODUCT.test(graph.producer(input)?.opType ?? '') || hasBias(graph, skip))
      first = op.add(input, bias);
    else second = op.add(skip, bias);
  }
  addNorm(op, node, nameSum(op, op.add(first, second), node.output[3]), [gain, shift], [1, 2]);
}

/** Whether a constant is added to the value already: a block's own bias. What else is added belongs to the stream then. */
function hasBias(graph: Graph, value: string): boolean {
  const producer = graph.producer(value);
  return producer?.opType === 'Add' && producer.input.some((name) => graph.constant(name));
}

/**
 * Inputs: ids, segments, word, position and segment table, gamma, beta, mask, positions. Outputs: output, mask index,
 * sum. Where positions are left out, they count from 0.
 */
function splitEmbedding(graph: Graph, node: NodeProto): void {
  const [ids, segments, words, positions, segmentTable, gain, shift, , positionIds] = node.input;
  const op = new Operators(graph, nameOf(node));
  const position = op.gather(positions!, positionIds || countFromZero(op, ids!), 0);
  const unsegmented = op.add(op.gather(words!, ids!, 0), position);
  const sum = segments ? op.add(unsegmented, op.gather(segmentTable!, segments, 0)) : unsegmented;
  addNorm(op, node, nameSum(op, sum, node.output[2]), [gain!, shift], [1]);
}

/** The sum under the name that the fused norm gave it, if it did. */
function nameSum(op: Operators, sum: string, given: string | undefined): string {
  return given ? op.name(sum, given) : sum;
}

/** 0, 1, 2... to the width of the ids: int64 [1, positions]. */
function countFromZero(op: Operators, ids: string): string {
  return op.reshape(op.range(op.gather(op.shape(ids), op.integer(1), 0)), [1, -1]);
}

function addNorm(
  op: Operators,
  node: NodeProto,
  sum: string,
  parameters: readonly (string | undefined)[],
  unsupported: readonly number[],
): void {
  const used = unsupported.map((index) => node.output[index]).find((name) => name && isRead(op.graph, name));
  if (used !== undefined) {
    throw new UserError(
      `The model uses '${used}', a result of the ${describeNode(node)} beside its sum; Hopscotch does not read such models.`,
    );
  }
  const opType = node.opType.includes('Simplified') ? 'SimplifiedLayerNormalization' : 'LayerNormalization';
  const attributes = {
    axis: -1,
    epsilon: float(floatAttribute(node, 'epsilon', DEFAULT_EPSILON)),
    stash_type: 1,
  };
  op.emitSeveral(
    [node.output[0]!],
    opType,
    [sum, ...parameters.map((name) => name || undefined)],
    attributes,
  );
}

function isRead(graph: Graph, value: string): boolean {
  return graph.isOutput(value) || graph.consumers(value).length > 0;
}

function nameOf(node: NodeProto): string {
  return node.name || node.output[0]!;
}
