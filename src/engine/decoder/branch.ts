/** A branch of the residual stream: its norm, its last projection, its cache, and what belongs to it alone. */
import { UserError } from '../errors.js';
import { describeNode, valuesRead } from '../onnx/graph.js';
import type { NodeProto, TensorProto } from '../onnx/onnx_pb.js';
import { intersection, readsShapeOnly, type DataFlow } from './data-flow.js';
import { blockName, type Branch, type BranchKind, type Norm } from './decoder.js';
import { findCache, pastNames } from './kv-cache.js';
import { findLastProjection } from './last-projection.js';
import { findNorm } from './norm.js';
import type { StreamBranch, StreamStep } from './residual-stream.js';

/** Operators that mix positions in other ways than attention does. */
const RECURRENT_OPERATORS = new Set([
  'Conv',
  'CausalConvWithState',
  'Scan',
  'Loop',
  'CumSum',
  'LSTM',
  'GRU',
  'RNN',
]);

/**
 * @param outputs graph outputs that this branch makes
 * @throws UserError if the branch is not a norm, attention or an MLP, and a projection
 */
export function readBranch(
  flow: DataFlow,
  step: StreamStep,
  stream: StreamBranch,
  layer: number,
  outputs: readonly string[],
  folder: string | undefined,
): Branch {
  const kind: BranchKind = stream.attention ? 'attention' : 'mlp';
  const block = blockName({ kind, layer });
  if (kind === 'mlp') refuseRecurrent(flow, step, stream, outputs);
  const cache = stream.attention && findCache(flow, stream.attention, step.input, outputs, block);
  const nodes = nodesOfBranch(flow, step.input, stream, outputs, cache ? pastNames(cache) : []);
  return {
    kind,
    layer,
    norm: readNorm(flow, step, stream, block, folder),
    output: stream.output,
    outputUse: stream.outputUse,
    outputs,
    nodes,
    weights: weightsOf(flow, nodes),
    lastProjection: findLastProjection(flow, stream.output, stream.region, block),
    cache,
  };
}

function readNorm(
  flow: DataFlow,
  step: StreamStep,
  branch: StreamBranch,
  block: string,
  folder: string | undefined,
): Norm {
  const norm = findNorm(flow, step.input, branch.region, folder);
  const between = new Set(norm?.nodes);
  const other = flow.readers(step.input).find((node) => branch.region.has(node) && !between.has(node));
  if (norm && !other) return norm;
  const where = other ? `the ${describeNode(other)} reads it directly` : 'none was found';
  throw new UserError(
    `A layer norm or RMS norm was expected between the residual stream and ${block}, but ${where}; Hopscotch reads models that normalise before each block.`,
  );
}

function refuseRecurrent(
  flow: DataFlow,
  step: StreamStep,
  branch: StreamBranch,
  outputs: readonly string[],
): void {
  const node = [...branch.region].find((candidate) => RECURRENT_OPERATORS.has(candidate.opType));
  if (node) {
    throw new UserError(
      `The model holds a block that is neither attention nor an MLP (the ${describeNode(node)} mixes positions); Hopscotch does not read hybrid models.`,
    );
  }
  const stop = new Set([step.input]);
  const continued = new Set(outputs.flatMap((output) => [...flow.sources([output], stop).inputs]));
  const state = [...flow.sources([branch.output], stop).inputs].find((input) => continued.has(input));
  if (state !== undefined) {
    throw new UserError(
      `The model holds a block without attention that keeps the state '${state}'; Hopscotch does not read hybrid models.`,
    );
  }
}

/**
 * Nodes that no graph output needs once the branch's result and its own outputs are gone. Reading the shape of a
 * value made in the branch does not count as need, since other blocks have values of the same shape.
 */
function nodesOfBranch(
  flow: DataFlow,
  input: string,
  branch: StreamBranch,
  outputs: readonly string[],
  pasts: readonly string[],
): Set<NodeProto> {
  const { graph } = flow;
  const own = new Set(outputs);
  const sources = flow.sources([branch.output, ...outputs], new Set([input])).nodes;
  const content = intersection(sources, flow.dependents([input, ...pasts]));
  const made = new Set([...content].flatMap((node) => node.output));
  const needed = new Set<NodeProto>();
  const queue = graph.outputs.map((output) => output.name).filter((name) => !own.has(name));
  for (let value = queue.pop(); value !== undefined; value = queue.pop()) {
    const node = graph.producer(value);
    if (!node || needed.has(node)) continue;
    needed.add(node);
    if (node === branch.outputUse.node) queue.push(node.input[1 - branch.outputUse.index]!);
    else if (!(readsShapeOnly(node) && made.has(node.input[0]!))) queue.push(...valuesRead(node));
  }
  return new Set([...allSources(flow, [branch.output, ...outputs])].filter((node) => !needed.has(node)));
}

/** Every node that the values need, for their shapes too. */
function allSources(flow: DataFlow, values: readonly string[]): Set<NodeProto> {
  const nodes = new Set<NodeProto>();
  const queue = [...values];
  for (let value = queue.pop(); value !== undefined; value = queue.pop()) {
    const node = flow.graph.producer(value);
    if (!node || nodes.has(node)) continue;
    nodes.add(node);
    queue.push(...valuesRead(node));
  }
  return nodes;
}

/** Initializers, and tensors of Constant nodes, that only the given nodes read. */
export function weightsOf(flow: DataFlow, nodes: ReadonlySet<NodeProto>): TensorProto[] {
  const { graph } = flow;
  const values = new Set([...nodes].flatMap(valuesRead));
  return [...values].flatMap((value) => {
    const tensor = graph.constant(value);
    const isOwn = tensor !== undefined && graph.consumers(value).every((node) => nodes.has(node));
    return isOwn && !graph.isOutput(value) ? [tensor] : [];
  });
}
