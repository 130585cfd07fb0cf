/** What a decoder-only language model's graph means, in terms of the residual stream. */
import type { BlockKind, BlockName } from '../../schema/blocks.js';
import type { DataType } from '../onnx/graph/data-types.js';
import type { Graph } from '../onnx/graph/graph.js';
import type { OnnxModel } from '../onnx/file/model-file.js';
import type { NodeProto, TensorProto } from '../onnx/file/onnx_pb.js';
import type { FusedNorm } from './read/split-norms.js';

/** One place where a node reads a value: `node.input[index]`. */
export interface Use {
  node: NodeProto;
  index: number;
}

/** A layer normalisation or root-mean-square normalisation that reads the residual stream. */
export interface Norm {
  kind: 'rms' | 'layer';
  /** The value of the residual stream that it normalises. */
  input: string;
  output: string;
  /** The nodes from `input` to `output`, Casts included. */
  nodes: readonly NodeProto[];
  /** What is added to the mean square (or variance) before the square root. */
  epsilon: NormEpsilon;
  /** Where the normalised value is multiplied with a constant of shape [hidden size], which may be computed from others. */
  gain: Use | undefined;
  /** Where a constant of shape [hidden size] is added after the gain. */
  bias: Use | undefined;
}

export type NormEpsilon =
  | { kind: 'attribute'; node: NodeProto; attribute: string; value: number }
  | { kind: 'constant'; use: Use; value: number };

/**
 * A weight by whose output channels a value is proportional, so that the value can be scaled: mostly a matrix product, as
 * the one that a block ends with.
 */
export interface Projection {
  /**
   * The matrix product, plain (MatMul, Gemm, com.microsoft.FusedMatMul) or with a quantised weight; or the norm or
   * factor behind it, where a model norms or scales what a block adds.
   */
  node: NodeProto;
  /**
   * The constant that each output channel is proportional to: the weight [in, out] or [out, in], its quantisation scales
   * (one, one a channel, or several a channel), or a gain [out]. It may be computed from other constants.
   */
  weight: string;
  weightUse: Use;
  /** True if the output channel is the first axis of `weight`. */
  outputChannelFirst: boolean;
  /** Number of output channels. */
  channels: number;
  /** Whether the product is rounded to fixed steps behind (static quantisation), so that no scale can go into the weight. */
  isRounded?: boolean;
  /** What else must change where one scale for all channels becomes one a channel. */
  quantised?: {
    /** The DequantizeLinear whose attribute `axis` says which axis of the weight the scales go along. */
    channelAxis?: { node: NodeProto; axis: number };
    /** Zero points have the shape of the scales. */
    zeroPoint: Use | undefined;
  };
  /** Bias of shape [out], added by the node or by an Add after it. */
  bias: string | undefined;
  biasUse: Use | undefined;
}

/** A product that reads the residual stream as it is. */
export interface FirstProjection extends Projection {
  /** QuantizeLinear and DequantizeLinear, where the stream is rounded to fixed steps in front of it (static quantisation). */
  rounding?: readonly NodeProto[];
}

/** Key and value cache of one attention block, or the state of a convolution: names of graph inputs and outputs. */
export type CacheEntry =
  | { layout: 'separate'; pastKey: string; pastValue: string; presentKey: string; presentValue: string }
  /** GPT-2's old layout: key and value stacked in one tensor [2, batch, heads, positions, head size]. */
  | { layout: 'packed'; past: string; present: string }
  /** The last values that a convolution has read, [batch, channels, positions], always equally many. */
  | { layout: 'state'; past: string; present: string };

export interface Block {
  kind: BlockKind;
  /** Index of the layer, from 0 at the input. */
  layer: number;
  /** The value of the residual stream that it reads. */
  input: string;
  /** Undefined where the block reads the stream as it is, and norms its result alone (OLMo 2). */
  norm: Norm | undefined;
  /** The products that read the stream, where there is no norm. */
  firstProjections: readonly FirstProjection[];
  /** The value that is added to the residual stream, hidden size wide. */
  output: string;
  /** Where `output` enters the residual addition. */
  outputUse: Use;
  /** Graph outputs that this block makes beside its part of the stream: present keys and values. */
  outputs: readonly string[];
  /**
   * Nodes that only this block needs, its norm included unless another block shares it. Nodes elsewhere may still
   * read the shape (not the content) of a value made here.
   */
  nodes: ReadonlySet<NodeProto>;
  /** Initializers (or tensors of Constant nodes) that only this block uses. */
  weights: readonly TensorProto[];
  /** Undefined where several weights make the result: in a mixture of experts. */
  lastProjection: Projection | undefined;
  /** The node that chooses or holds the experts, if the block is a mixture of experts: such a block always stays. */
  mixture: NodeProto | undefined;
  /** Only for attention and convolutions, and only if the graph has a cache. */
  cache: CacheEntry | undefined;
}

/**
 * One step of the residual stream: output = input + the blocks' outputs. A pre-norm layer has two such steps with
 * one block each; a parallel-residual layer (GPT-NeoX, Phi) has one step with two blocks.
 */
export interface ResidualStep {
  layer: number;
  /** Value names of the residual stream before and after. */
  input: string;
  output: string;
  /** The Add whose output is `output`. */
  addition: NodeProto;
  /** Every Add of the step, `addition` last: one, or two where two blocks are added. */
  additions: readonly NodeProto[];
  /** Where the stream enters the addition: as `input`, or behind a Cast or a residual scale. */
  inputUse: Use;
  blocks: readonly Block[];
}

/** Graph inputs by their meaning. */
export interface DecoderInputs {
  /** int64 [batch, positions]. */
  tokens: string;
  /** int64 (or float, bool) [batch, past + positions]. */
  attentionMask: string | undefined;
  /** int64 [batch, positions]. */
  positions: string | undefined;
  /** Every past input, in the order of the layers. */
  cache: readonly string[];
  /** int64 scalar or [1]: of how many last positions logits are wanted; 0 for all (num_logits_to_keep). */
  keptLogits?: string;
  /** Inputs with another meaning, such as use_cache_branch. */
  others: readonly string[];
}

/** Where all positions but the last are dropped: the value before, and the one that goes on in its place. */
export interface PositionCut {
  input: string;
  output: string;
}

export interface Decoder {
  /** The model that was read, or a copy of it in which fused norms are split and caches declare their heads and size. */
  model: OnnxModel;
  /** The fused norms that were split; joinNorms makes them again. */
  fusedNorms: ReadonlySet<FusedNorm>;
  graph: Graph;
  inputs: DecoderInputs;
  /** The embedding's result, where the residual stream begins. */
  embedding: string;
  /** Initializers that only the embedding (token, position, its norm) uses. */
  embeddingWeights: readonly TensorProto[];
  hiddenSize: number;
  /** Element type of the residual stream where it begins: float32, float16 or bfloat16. */
  streamType: DataType;
  vocabularySize: number;
  /** Rows of the embedding: token ids from there on are not known to the model. */
  embeddingRows: number;
  /** Tokens of a text at the most, past ones included; undefined where positions have no table that ends. */
  contextLength: number | undefined;
  /**
   * Tokens of a text, past ones included, beyond which all of its positions are turned by other frequencies, those before
   * the border as well (LongRoPE); undefined where there is no such border.
   */
  rotaryBorder: number | undefined;
  /** In order from the input to the output. */
  steps: readonly ResidualStep[];
  layerCount: number;
  /** The norm that reads the last value of the stream. */
  finalNorm: Norm;
  /** Where only the last position goes on, at the final norm or behind it: the logits are [batch, 1, vocabulary] then. */
  cut: PositionCut | undefined;
  /** The nodes after the final norm up to the logits. */
  headNodes: readonly NodeProto[];
  headWeights: readonly TensorProto[];
  /** The product that makes the logits. */
  headProjection: Projection;
  /** Graph output [batch, positions, vocabulary]. */
  logits: string;
}

/** All blocks from the input to the output; in a layer attention comes first. */
export function blocksOf(decoder: Decoder): Block[] {
  return decoder.steps.flatMap((step) => [...step.blocks]);
}

export function blockName(block: Pick<Block, 'kind' | 'layer'>): BlockName {
  return `${block.kind} ${block.layer}`;
}

/** Whether positions of a text of so many tokens are turned by the frequencies of long texts. */
export function isBeyondBorder({ rotaryBorder }: Pick<Decoder, 'rotaryBorder'>, tokens: number): boolean {
  return tokens > (rotaryBorder ?? Infinity);
}

/** Whether another block is added to the stream in the same step (parallel residuals). */
export function sharesResidual({ steps }: Pick<Decoder, 'steps'>, block: BlockName): boolean {
  return steps.some(({ blocks }) => blocks.length > 1 && blocks.some((one) => blockName(one) === block));
}

/** Mixtures of experts and convolutions always stay. */
export function isSkippable({ kind, mixture }: Pick<Block, 'kind' | 'mixture'>): boolean {
  return kind !== 'convolution' && mixture === undefined;
}

/** All blocks of a decoder by name, in the order of the stream. */
export function blockNames(decoder: Decoder): BlockName[] {
  return blocksOf(decoder).map(blockName);
}
