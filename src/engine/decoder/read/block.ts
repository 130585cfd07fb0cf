/** A block of the residual stream: its norm, its last projection, its cache, and what belongs to it alone. */
import type { BlockKind } from '../../../schema/blocks.js';
import { UserError } from '../../../schema/errors.js';
import { FITTING } from './other-kinds.js';
import { describeNode } from '../../onnx/graph/node.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import type { DataFlow } from './data-flow.js';
import { blockName, type Block } from '../decoder.js';
import { findFirstProjections } from './first-projections.js';
import { findCache, findState, pastNames } from './kv-cache.js';
import { findLastProjection } from './last-projection.js';
import { findMixture } from './mixture.js';
import { findNorm } from './norm.js';
import { ownNodes, weightsOf } from './own-nodes.js';
import type { StreamBlock, StreamStep } from './residual-stream.js';
import { roundedStream } from './unsupported.js';

/** Operators that mix a few neighbouring positions. */
const CONVOLUTIONS = new Set(['Conv', 'CausalConvWithState']);

/** Operators that mix positions in other ways than attention and convolutions do. */
const RECURRENT_OPERATORS = new Set(['Scan', 'Loop', 'CumSum', 'LSTM', 'GRU', 'RNN']);

export interface BlockContext {
  /** The model's folder, for constants in external files. */
  folder: string | undefined;
  /** All values of the residual stream. */
  stream: ReadonlySet<string>;
  /** Nodes that some graph output needs. */
  live: ReadonlySet<NodeProto>;
}

/**
 * @param outputs graph outputs that this block makes
 * @throws UserError if the block is not a norm, attention, a convolution or an MLP, and a projection
 */
export function readBlock(
  flow: DataFlow,
  step: StreamStep,
  stream: StreamBlock,
  { kind, layer }: Pick<Block, 'kind' | 'layer'>,
  outputs: readonly string[],
  context: BlockContext,
): Block {
  const name = blockName({ kind, layer });
  if (kind !== 'attention') refuseRecurrent(stream);
  if (kind === 'mlp') refuseStates(flow, step, stream, outputs);
  const { output, outputUse } = stream;
  const cache = stream.attention
    ? findCache(flow, stream.attention, step.input, context.stream, outputs, name)
    : kind === 'convolution'
      ? findState(flow, output, context.stream, outputs, layer)
      : undefined;
  const part = { input: step.input, output, outputUse, outputs, pasts: cache ? pastNames(cache) : [] };
  const nodes = ownNodes(flow, part, context.stream, context.live);
  const mixture = kind === 'mlp' ? findMixture(stream.region) : undefined;
  return {
    kind,
    layer,
    input: step.input,
    ...readBeginning(flow, step, stream, name, context.folder),
    output,
    outputUse,
    outputs,
    nodes,
    weights: weightsOf(flow, nodes),
    lastProjection: mixture ? undefined : findLastProjection(flow, stream.output, stream.region, name),
    mixture,
    cache,
  };
}

/** A norm, or else products that read the stream as it is. */
function readBeginning(
  flow: DataFlow,
  step: StreamStep,
  block: StreamBlock,
  name: string,
  folder: string | undefined,
): Pick<Block, 'norm' | 'firstProjections'> {
  const norm = findNorm(flow, step.input, block.region, folder);
  const between = new Set(norm?.nodes);
  const other = flow.readers(step.input).find((node) => block.region.has(node) && !between.has(node));
  if (norm && !other) return { norm, firstProjections: [] };
  const firstProjections = norm ? undefined : findFirstProjections(flow, step.input, block.region);
  if (firstProjections) return { norm: undefined, firstProjections };
  if (other?.opType === 'QuantizeLinear') throw roundedStream(other);
  const where = other ? `the ${describeNode(other)} reads it directly` : 'none was found';
  throw new UserError(
    `A layer norm or RMS norm was expected between the residual stream and ${name}, but ${where}; Hopscotch reads models that normalise before each block, or each block's result.`,
  );
}

export function kindOf({ attention, region }: StreamBlock): BlockKind {
  if (attention) return 'attention';
  return [...region].some(({ opType }) => CONVOLUTIONS.has(opType)) ? 'convolution' : 'mlp';
}

function refuseRecurrent({ region }: StreamBlock): void {
  const node = [...region].find((candidate) => RECURRENT_OPERATORS.has(candidate.opType));
  if (node) {
    throw new UserError(
      `The model holds a block that is neither attention, a convolution nor an MLP (the ${describeNode(node)} mixes positions); ${FITTING}.`,
    );
  }
}

function refuseStates(
  flow: DataFlow,
  step: StreamStep,
  block: StreamBlock,
  outputs: readonly string[],
): void {
  const stop = new Set([step.input]);
  const continued = new Set(outputs.flatMap((output) => [...flow.sources([output], stop).inputs]));
  const state = [...flow.sources([block.output], stop).inputs].find((input) => continued.has(input));
  if (state !== undefined) {
    throw new UserError(
      `The model holds a block without attention that keeps the state '${state}'; ${FITTING}.`,
    );
  }
}
