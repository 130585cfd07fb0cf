/** The residual stream: the way from the embedding through all residual additions to the final norm. */
import { UserError } from '../errors.js';
import { describeNode } from '../onnx/graph.js';
import type { NodeProto } from '../onnx/onnx_pb.js';
import { findAttention, type Attention } from './attention.js';
import { intersection, isRenaming, type DataFlow } from './data-flow.js';
import type { Use } from './decoder.js';
import { findNorm } from './norm.js';
import { EXPORT_ADVICE } from './unsupported.js';

/** A branch as far as the stream shows it. */
export interface StreamBranch {
  output: string;
  outputUse: Use;
  /** Nodes that make the output out of the stream, shared ones included. */
  region: Set<NodeProto>;
  attention: Attention | undefined;
}

export interface StreamStep {
  input: string;
  inputUse: Use;
  output: string;
  /** In the order of the data; the last one makes `output`. */
  additions: NodeProto[];
  branches: StreamBranch[];
}

export interface ResidualStream {
  /** Where the stream begins: the embedding's result. */
  beginning: string;
  steps: StreamStep[];
  /** What the final norm reads. */
  end: string;
}

/**
 * Follows the stream from a value (the token embedding) to its end.
 * @throws UserError if no residual addition is found
 */
export function followStream(flow: DataFlow, embedding: string): ResidualStream {
  const start = findBeginning(flow, embedding);
  const steps: StreamStep[] = [];
  let value = start;
  for (let step = nextStep(flow, value); step !== undefined; step = nextStep(flow, value)) {
    steps.push(step);
    value = step.output;
  }
  return { beginning: steps[0]!.input, steps, end: skipOffsets(flow, value) };
}

/** The first value with a residual addition; an embedding's own norm (BLOOM) may stand before it. */
function findBeginning(flow: DataFlow, embedding: string): string {
  if (nextStep(flow, embedding)) return embedding;
  const before = skipOffsets(flow, embedding);
  const norm = findNorm(flow, before, flow.dependents([before]));
  if (norm && nextStep(flow, norm.output)) return norm.output;
  const producer = flow.graph.producer(embedding);
  throw new UserError(
    `After the embedding (${producer ? describeNode(producer) : `'${embedding}'`}) a residual stream was expected, an Add of the embedding and of an attention block's result, but there is none; ${EXPORT_ADVICE}.`,
  );
}

function nextStep(flow: DataFlow, from: string): StreamStep | undefined {
  const dependents = flow.dependents([from]);
  const first = findAddition(flow, from, dependents);
  if (!first) return undefined;
  const input = soleAlias(flow, from, dependents);
  const step: StreamStep = { input, inputUse: first.streamUse, output: '', additions: [], branches: [] };
  addBranches(flow, step, first.branchUse, dependents);
  step.additions.push(first.branchUse.node);
  const second = findChainedAddition(flow, first.branchUse.node.output[0]!, dependents);
  if (second) {
    addBranches(flow, step, second, dependents);
    step.additions.push(second.node);
  }
  step.output = step.additions.at(-1)!.output[0]!;
  return step;
}

/** One branch, or the two of a parallel residual whose results are added to each other before. */
function addBranches(
  flow: DataFlow,
  step: StreamStep,
  outputUse: Use,
  dependents: ReadonlySet<NodeProto>,
): void {
  const output = outputUse.node.input[outputUse.index]!;
  const inner = flow.graph.producer(originOfBranch(flow, output, dependents));
  if (inner?.opType === 'Add') {
    const halves = [0, 1].map((index) => makeBranch(flow, step.input, { node: inner, index }, dependents));
    const bothDepend = halves.every((half) => half.region.size > 0);
    if (bothDepend && (halves[0]!.attention === undefined) !== (halves[1]!.attention === undefined)) {
      step.branches.push(...halves);
      step.additions.push(inner);
      return;
    }
  }
  step.branches.push(makeBranch(flow, step.input, outputUse, dependents));
}

function makeBranch(
  flow: DataFlow,
  input: string,
  outputUse: Use,
  dependents: ReadonlySet<NodeProto>,
): StreamBranch {
  const output = outputUse.node.input[outputUse.index]!;
  const region = intersection(flow.sources([output], new Set([input])).nodes, dependents);
  return { output, outputUse, region, attention: findAttention(flow, region) };
}

interface Addition {
  streamUse: Use;
  branchUse: Use;
}

/** An Add of the stream and of another value that depends on the stream. */
function findAddition(
  flow: DataFlow,
  from: string,
  dependents: ReadonlySet<NodeProto>,
): Addition | undefined {
  const stream = aliases(flow, from, dependents);
  for (const alias of stream) {
    for (const node of flow.readers(alias)) {
      if (node.opType !== 'Add') continue;
      const index = node.input.indexOf(alias);
      const other = node.input[1 - index]!;
      const producer = flow.graph.producer(other);
      if (stream.has(other) || !producer || !dependents.has(producer)) continue;
      return { streamUse: { node, index }, branchUse: { node, index: 1 - index } };
    }
  }
  return undefined;
}

/**
 * The second Add of (x + attention) + mlp where the mlp reads x: its other operand depends on the stream before the
 * step, but not on the first Add.
 */
function findChainedAddition(
  flow: DataFlow,
  sum: string,
  dependents: ReadonlySet<NodeProto>,
): Use | undefined {
  const later = flow.dependents([sum]);
  for (const alias of aliases(flow, sum, later, dependents)) {
    for (const node of flow.readers(alias)) {
      if (node.opType !== 'Add') continue;
      const index = 1 - node.input.indexOf(alias);
      const producer = flow.graph.producer(node.input[index]!);
      if (producer && dependents.has(producer) && !later.has(producer)) return { node, index };
    }
  }
  return undefined;
}

/**
 * Values that are the stream but for a Cast, or for a factor or summand that does not depend on it (scales, offsets,
 * position embeddings).
 * @param before nodes that depend on the stream too, though not on `from`
 */
function aliases(
  flow: DataFlow,
  from: string,
  dependents: ReadonlySet<NodeProto>,
  before: ReadonlySet<NodeProto> = dependents,
): Set<string> {
  const found = new Set([from]);
  for (const value of found) {
    for (const node of flow.readers(value)) {
      const index = node.input.indexOf(value);
      if (index >= 0 && continuesStream(flow, node, index, dependents, before)) found.add(node.output[0]!);
    }
  }
  return found;
}

function continuesStream(
  flow: DataFlow,
  node: NodeProto,
  index: number,
  dependents: ReadonlySet<NodeProto>,
  before: ReadonlySet<NodeProto>,
): boolean {
  if (isRenaming(node)) return index === 0;
  const commutative = node.opType === 'Add' || node.opType === 'Mul';
  if (!commutative && !(index === 0 && (node.opType === 'Sub' || node.opType === 'Div'))) return false;
  const other = node.input[1 - index]!;
  const producer = flow.graph.producer(other);
  if (other === node.input[index]) return false;
  return !producer || !(dependents.has(producer) || before.has(producer));
}

/** Goes on as long as everything that reads the stream reads it behind the next Cast, factor or summand. */
function soleAlias(flow: DataFlow, from: string, dependents: ReadonlySet<NodeProto>): string {
  let value = from;
  for (;;) {
    const [node, ...more] = flow.readers(value);
    if (!node || more.length > 0) return value;
    const index = node.input.indexOf(value);
    if (index < 0 || !continuesStream(flow, node, index, dependents, dependents)) return value;
    value = node.output[0]!;
  }
}

/** The stream behind factors and summands that all its readers want; a Cast at the end belongs to the norm. */
function skipOffsets(flow: DataFlow, from: string): string {
  const dependents = flow.dependents([from]);
  let value = soleAlias(flow, from, dependents);
  for (let node = flow.graph.producer(value); value !== from && node && isRenaming(node);) {
    value = node.input[0]!;
    node = flow.graph.producer(value);
  }
  return value;
}

/** The value behind Casts and constant factors, where two branches may have been added to each other. */
function originOfBranch(flow: DataFlow, output: string, dependents: ReadonlySet<NodeProto>): string {
  let value = output;
  for (;;) {
    const node = flow.graph.producer(value);
    if (!node || !dependents.has(node)) return value;
    if (isRenaming(node)) value = node.input[0]!;
    else if (node.opType === 'Mul' && node.input.some((name) => flow.isConstant(name))) {
      value = node.input.find((name) => !flow.isConstant(name)) ?? value;
    } else return value;
  }
}
