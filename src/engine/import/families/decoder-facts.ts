/** What must be known of a decoder to write it as a graph, whatever file it comes from. */
import type { Family } from './family.js';
import type { Frequencies, Rotary } from './rotary.js';

export interface DecoderFacts {
  family: Family;
  layers: number;
  hidden: number;
  heads: number;
  kvHeads: number;
  headSize: number;
  /** Width inside of the MLP. */
  inner: number;
  vocabulary: number;
  /** Positions that the model can tell apart. */
  contextLength: number;
  epsilon: number;
  rotary: Rotary;
  /** Where some layers have a short convolution in place of attention. */
  convolution?: Convolution;
  /** For each layer, how it knows positions and how many it sees. */
  attention: readonly LayerAttention[];
  /** What scores are multiplied by. */
  scoreScale: number;
  /** Bound of the scores, 0 for none. */
  scoreCap: number;
  logitCap: number;
  embeddingScale: number;
  /** What each block's result is multiplied by before it is added to the stream. */
  residualScale: number;
  logitScale: number;
}

export interface Convolution {
  /** Positions that each one reads, the own one included. */
  taps: number;
  /** Layers that have one. */
  layers: ReadonlySet<number>;
}

export interface LayerAttention {
  /** Frequencies by which queries and keys are turned; absent where the layer is not told positions. */
  frequencies?: Frequencies;
  /** Positions that are seen, the own one included; 0 for all. */
  window: number;
}
