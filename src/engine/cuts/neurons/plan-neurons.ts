/** Which neurons of each MLP stay: those that the task needs most, fewer in layers that need fewer. */
import type { BlockName } from '../../../schema/blocks.js';
import type { Decoder } from '../../decoder/decoder.js';
import type { BlockStatistics, NeuronStatistics } from './neuron-statistics.js';
import type { Neurons } from './neurons.js';
import { readNeurons } from './read-neurons.js';

/** What a neuron is ranked by (docs/decisions/080-ranking-of-neurons.md). */
export type NeuronRule = 'activation' | 'taylor' | 'fisher';

/** Blocks of a later quantisation to four bits. */
const MULTIPLE = 32;

/** Into so many widths an MLP's may be rounded where layers differ: those of one width share their sessions. */
const WIDTHS = 12;

export interface NeuronPlanOptions {
  /** Part of all neurons that is removed, above 0 and below 1. */
  share: number;
  /** Default: 'fisher'. */
  rule?: NeuronRule;
  /** Whether layers lose as many as their neurons' ranks among those of all layers say, or all the same. Default: true. */
  uneven?: boolean;
  /** The most that a layer loses, as a part of its neurons. Default: 0.6. */
  most?: number;
  /**
   * Layers keep a multiple of this many, as blocks of a later quantisation need. Default: 32; where layers differ, the
   * multiple of 32 below a twelfth of their neurons.
   */
  multiple?: number;
}

const SCORES: Readonly<Record<NeuronRule, (statistics: BlockStatistics) => Float64Array>> = {
  activation: ({ squares, norms }) => squares.map((square, at) => square * norms[at]! ** 2),
  taylor: ({ taylor }) => taylor.map(Math.abs),
  fisher: ({ fisher }) => fisher,
};

/** Neurons that go together, and the loss a neuron that is expected of it. */
interface Candidate {
  layer: RankedLayer;
  neurons: readonly number[];
  score: number;
}

interface RankedLayer {
  neurons: Neurons;
  /** From the least needed to the most needed. */
  candidates: Candidate[];
  removed: number;
}

/**
 * @returns for each MLP whose neurons can be removed the ones that stay, ascending
 * @throws RangeError if the share is not above 0 and below 1
 */
export function planNeurons(
  decoder: Decoder,
  statistics: NeuronStatistics,
  options: NeuronPlanOptions,
): Map<BlockName, number[]> {
  const { share, rule = 'fisher', uneven = true, most = 0.6 } = options;
  if (!(share > 0 && share < 1)) throw new RangeError(`${share} is no part of the neurons`);
  const layers = readNeurons(decoder).neurons.flatMap((neurons) => {
    const own = statistics.get(neurons.block);
    return own ? [rankedLayer(neurons, SCORES[rule](own))] : [];
  });
  const counts = uneven
    ? unevenCounts(layers, share, most, options.multiple)
    : layers.map(({ neurons }) =>
        roundedWidth(neurons, neurons.width * (1 - Math.min(share, most)), options.multiple),
      );
  return new Map(layers.map((layer, at) => [layer.neurons.block, mostNeeded(layer, counts[at]!)]));
}

function rankedLayer(neurons: Neurons, scores: Float64Array): RankedLayer {
  const { width, together } = neurons;
  const layer: RankedLayer = { neurons, candidates: [], removed: 0 };
  for (let first = 0; first < width; first += together) {
    const own = Array.from({ length: Math.min(together, width - first) }, (_, at) => first + at);
    const score = own.reduce((sum, neuron) => sum + scores[neuron]!, 0) / own.length;
    layer.candidates.push({ layer, neurons: own, score });
  }
  layer.candidates.sort((a, b) => a.score - b.score);
  return layer;
}

/** Says how many neurons each layer loses, if the least needed of all layers go. */
function removeLeastNeeded(layers: readonly RankedLayer[], share: number, most: number): void {
  const total = layers.reduce((sum, { neurons }) => sum + neurons.width, 0);
  const all = layers.flatMap(({ candidates }) => candidates).toSorted((a, b) => a.score - b.score);
  let removed = 0;
  for (const { layer, neurons } of all) {
    if (removed >= share * total) return;
    if (layer.removed + neurons.length > most * layer.neurons.width) continue;
    layer.removed += neurons.length;
    removed += neurons.length;
  }
}

/** How many neurons each layer keeps, in multiples: in all about as many as the share says. */
function unevenCounts(
  layers: readonly RankedLayer[],
  share: number,
  most: number,
  multiple: number | undefined,
): number[] {
  removeLeastNeeded(layers, share, most);
  const rounded = layers.map(({ neurons: { width, together }, removed }) => {
    const unit = leastCommonMultiple(multiple ?? stepOf(width), together);
    const wanted = (width - removed) / unit;
    const above = Math.min(width, Math.ceil(wanted) * unit);
    return {
      above,
      below: Math.max(Math.min(unit, width), Math.ceil(above / unit - 1) * unit),
      excess: above - wanted * unit,
    };
  });
  let excess = rounded.reduce((sum, layer) => sum + layer.excess, 0);
  const counts = rounded.map(({ above }) => above);
  // Layers that are the farthest above what they should keep are rounded down.
  const order = [...rounded.keys()].toSorted((a, b) => rounded[b]!.excess - rounded[a]!.excess);
  for (const at of order) {
    const { above, below } = rounded[at]!;
    if (excess < (above - below) / 2) break;
    if (below < layers[at]!.neurons.width * (1 - most)) continue;
    counts[at] = below;
    excess -= above - below;
  }
  return counts;
}

function mostNeeded({ candidates }: RankedLayer, count: number): number[] {
  const kept: number[] = [];
  for (const candidate of candidates.toReversed()) {
    if (kept.length + candidate.neurons.length > count) break;
    kept.push(...candidate.neurons);
  }
  return kept.toSorted((a, b) => a - b);
}

/** How many neurons an MLP keeps where about so many should stay. */
export function roundedWidth(
  { width, together }: Pick<Neurons, 'width' | 'together'>,
  wanted: number,
  multiple = MULTIPLE,
): number {
  const unit = leastCommonMultiple(multiple, together);
  return Math.min(width, Math.max(unit, Math.round(wanted / unit) * unit));
}

function stepOf(width: number): number {
  return Math.max(1, Math.floor(width / WIDTHS / MULTIPLE)) * MULTIPLE;
}

function leastCommonMultiple(a: number, b: number): number {
  let [large, small] = [a, b];
  while (small > 0) [large, small] = [small, large % small];
  return (a / large) * b;
}
