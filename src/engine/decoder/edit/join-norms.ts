/** Undoes splitNorms in a model that is written: residual additions and the norms behind them as one node again. */
import { float, floatAttribute, intAttribute } from '../../onnx/graph/attributes.js';
import type { Graph } from '../../onnx/graph/graph.js';
import { Operators } from '../../onnx/graph/operators.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { DataFlow } from '../read/data-flow.js';
import type { FusedNorm } from '../read/split-norms.js';

/**
 * Joins each norm with the addition that it reads, one norm an addition. The results stay the same but for rounding.
 * @param kinds which fused norms the model had; no others are made
 */
export function joinNorms(graph: Graph, kinds: ReadonlySet<FusedNorm>): void {
  if (kinds.size === 0) return;
  const joined = new Set<NodeProto>();
  const flow = new DataFlow(graph);
  for (const norm of graph.nodes.filter(isNorm)) {
    const addition = graph.producer(norm.input[0]!);
    if (addition?.opType !== 'Add' || joined.has(addition)) continue;
    const made = embeddingInputs(graph, norm, addition, kinds) ?? skipInputs(flow, norm, addition, kinds);
    if (!made) continue;
    joined.add(addition);
    replace(graph, norm, addition, made);
  }
  graph.removeUnused();
  graph.sortNodes();
}

interface Joined {
  opType: FusedNorm;
  inputs: string[];
  /** Which output is the sum. */
  sumIndex: number;
}

function isNorm(node: NodeProto): boolean {
  const known = node.opType === 'LayerNormalization' || node.opType === 'SimplifiedLayerNormalization';
  return known && node.domain === '' && intAttribute(node, 'axis', -1) === -1;
}

function replace(graph: Graph, norm: NodeProto, addition: NodeProto, made: Joined): void {
  const sum = addition.output[0]!;
  const isUsed = graph.isOutput(sum) || graph.consumers(sum).length > 1;
  const outputs = [norm.output[0]!, ...Array.from({ length: made.sumIndex - 1 }, () => ''), sum];
  graph.removeNodes(new Set([norm, addition]));
  const given = isUsed ? outputs : outputs.slice(0, made.opType === 'EmbedLayerNormalization' ? 2 : 1);
  const epsilon = float(floatAttribute(norm, 'epsilon', 1e-5));
  new Operators(graph, norm.name).emitSeveral(given, made.opType, made.inputs, { epsilon }, 'com.microsoft');
}

function embeddingInputs(
  graph: Graph,
  norm: NodeProto,
  addition: NodeProto,
  kinds: ReadonlySet<FusedNorm>,
): Joined | undefined {
  const gathers = addition.input.map((value) => graph.producer(value));
  const [words, positions] = gathers;
  if (!kinds.has('EmbedLayerNormalization') || norm.opType !== 'LayerNormalization') return undefined;
  if (!words || !positions || !gathers.every((node) => node && takesRows(graph, node))) return undefined;
  const [gain = '', shift = ''] = norm.input.slice(1);
  const [ids, positionIds] = [words.input[1]!, positions.input[1]!];
  const inputs = [ids, '', words.input[0]!, positions.input[0]!, '', gain, shift, '', positionIds];
  return { opType: 'EmbedLayerNormalization', inputs, sumIndex: 2 };
}

/** Whether a node takes rows of a table by ids that are an input, or a Cast of one to int32 as the fused operator had it. */
function takesRows(graph: Graph, node: NodeProto): boolean {
  const [table, ids] = node.input as [string, string];
  const cast = graph.producer(ids);
  return (
    node.opType === 'Gather' &&
    intAttribute(node, 'axis', 0) === 0 &&
    graph.constant(table) !== undefined &&
    graph.input(cast?.opType === 'Cast' ? cast.input[0]! : ids) !== undefined
  );
}

function skipInputs(
  flow: DataFlow,
  norm: NodeProto,
  addition: NodeProto,
  kinds: ReadonlySet<FusedNorm>,
): Joined | undefined {
  const isRms = norm.opType === 'SimplifiedLayerNormalization';
  const opType = isRms ? 'SkipSimplifiedLayerNormalization' : 'SkipLayerNormalization';
  if (!kinds.has(opType)) return undefined;
  const inner = innerAddition(flow, addition);
  if (!inner && addition.input.some((value) => flow.isConstant(value))) return undefined;
  const { first, second, bias } = inner ?? withBias(flow, addition);
  const parameters = norm.input.slice(1);
  if (bias !== undefined && !isRms && parameters.length === 1) parameters.push('');
  const inputs = [first, second, ...parameters, ...(bias === undefined ? [] : [bias])];
  return { opType, inputs, sumIndex: 3 };
}

interface Operands {
  first: string;
  second: string;
  bias: string | undefined;
}

/** Two values, of which one may have a bias of its own. */
function withBias(flow: DataFlow, addition: NodeProto): Operands {
  const [first, second] = addition.input as [string, string];
  const [one, other] = [first, second].map((value) => biasOf(flow, value));
  if (other) return { first, second: other.value, bias: other.vector };
  if (one) return { first: one.value, second, bias: one.vector };
  return { first, second, bias: undefined };
}

/** The sum of two values that a constant vector is added to: what a skipped block leaves in its place. */
function innerAddition(flow: DataFlow, addition: NodeProto): Operands | undefined {
  const biased = biasOf(flow, addition.output[0]!, addition);
  const inner = biased && flow.graph.producer(biased.value);
  if (inner?.opType !== 'Add' || flow.graph.consumers(biased!.value).length !== 1) return undefined;
  const [first, second] = inner.input as [string, string];
  if (inner.input.some((value) => flow.isConstant(value))) return undefined;
  return { first, second, bias: biased!.vector };
}

/**
 * A value that is another one plus a constant vector.
 * @param by the Add that makes it, if others may read it too
 */
function biasOf(flow: DataFlow, sum: string, by?: NodeProto): { value: string; vector: string } | undefined {
  const { graph } = flow;
  const node = by ?? graph.producer(sum);
  if (node?.opType !== 'Add') return undefined;
  if (!by && (graph.consumers(sum).length !== 1 || graph.isOutput(sum))) return undefined;
  const index = node.input.findIndex(
    (value) => flow.isConstant(value) && flow.constantBehind(value)?.dims.length === 1,
  );
  return index < 0 ? undefined : { value: node.input[1 - index]!, vector: node.input[index]! };
}
