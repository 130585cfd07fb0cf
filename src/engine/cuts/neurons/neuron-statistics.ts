/**
 * What a task asks of each neuron: how large its activations are, what the last product makes of them, and what the loss
 * would feel of their loss.
 */
import { throwIfCancelled } from '../../../schema/errors.js';
import type { BlockName } from '../../../schema/blocks.js';
import { keepActivations } from '../../autodiff/lower/full-accuracy.js';
import type { Decoder } from '../../decoder/decoder.js';
import { allPositions } from '../../decoder/edit/all-positions.js';
import { rereadDecoder } from '../../decoder/read/read-decoder.js';
import { probeFeeds } from '../../loss/open-gradient-model.js';
import { makeLossBatch, type LossBatch } from '../../loss/loss-batch.js';
import { attachLoss } from '../../loss/loss-head.js';
import { LOSS_OUTPUTS } from '../../loss/loss-values.js';
import { openGradient } from '../../loss/open-gradient.js';
import { openLossDecoder } from '../../loss/segmented-forward.js';
import { Graph } from '../../onnx/graph/graph.js';
import { widenFloats } from '../../onnx/graph/widen-floats.js';
import { upgradeOpset } from '../../onnx/opset/upgrade-opset.js';
import type { Feeds, RunOptions } from '../../runtime/session.js';
import { float32Tensor, float32Values } from '../../runtime/tensors.js';
import { insertNeuronGates, type NeuronGate } from './neuron-gates.js';
import { productNorms } from './product-norms.js';
import { addActivationSums } from './activation-sums.js';

/** Of the neurons of an MLP, one entry each. */
export interface BlockStatistics {
  /** Mean square of the activation over the rows' tokens. */
  squares: Float64Array;
  /** Length of the vector that the last product makes of an activation of 1. */
  norms: Float64Array;
  /** Sum over the tokens of activation times the loss's gradient by it, the loss summed over a row, in nats a token. */
  taylor: Float64Array;
  /** Sum over the tokens of the squares of these products, a token. */
  fisher: Float64Array;
}

/** Of each MLP whose neurons can be removed. */
export type NeuronStatistics = ReadonlyMap<BlockName, BlockStatistics>;

export interface StatisticsOptions {
  runOptions?: RunOptions;
  signal?: AbortSignal;
  /** Rows done, of two passes over all rows. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Rows are run one by one, forward and with gradients. Weights of a few bits are taken as they are dequantised.
 * @param batches their rows are taken, with cross-entropy as the loss
 * @throws UserError if an operator has no gradient rule; CancelledError if stopped
 */
export async function neuronStatistics(
  decoder: Decoder,
  batches: readonly LossBatch[],
  options: StatisticsOptions = {},
): Promise<NeuronStatistics> {
  const rows = batches.flatMap(({ source }) => source).map((row) => makeLossBatch(decoder, [row], 0));
  const tokens = rows.reduce((sum, { mask }) => sum + mask.length, 0);
  const progress = (pass: number) => (done: number) => {
    throwIfCancelled(options.signal);
    options.onProgress?.(pass * rows.length + done, 2 * rows.length);
  };
  const whole = allPositions(rereadDecoder(upgradeOpset(decoder.model), decoder));
  const squares = await activationSquares(whole, rows, options.runOptions, progress(0));
  const gradients = await gradientSums(whole, rows, options.runOptions, progress(1));
  const norms = await productNorms(whole);
  const mean = (sums: Float64Array) => sums.map((sum) => sum / tokens);
  return new Map(
    [...gradients].map(([block, { taylor, fisher }]) => [
      block,
      {
        squares: mean(squares.get(block)!),
        norms: norms.get(block)!,
        taylor: mean(taylor),
        fisher: mean(fisher),
      },
    ]),
  );
}

async function activationSquares(
  whole: Decoder,
  rows: readonly LossBatch[],
  runOptions: RunOptions | undefined,
  onRow: (done: number) => void,
): Promise<Map<BlockName, Float64Array>> {
  const { decoder, sums } = addActivationSums(whole, 'squares');
  const names = sums.map(({ name }) => name);
  const model = await openLossDecoder(decoder, new Set(names), runOptions);
  const squares = new Map(sums.map(({ block, width }) => [block, new Float64Array(width)]));
  try {
    let done = 0;
    for await (const results of model.runEach(
      rows.map(({ feeds }) => feeds),
      [...names, LOSS_OUTPUTS.loss],
    )) {
      for (const { name, block } of sums) addTo(squares.get(block)!, float32Values(results[name]!));
      onRow((done += 1));
    }
  } finally {
    await model.release();
  }
  return squares;
}

function addTo(sum: Float64Array, values: Float32Array): void {
  for (let at = 0; at < sum.length; at += 1) sum[at]! += values[at]!;
}

type GradientSums = Pick<BlockStatistics, 'taylor' | 'fisher'>;

/** The most positions of which types are found. */
const PROBED = 5;

/** The gradient by a gate of 1 in front of each activation is the activation times the gradient by it. */
async function gradientSums(
  whole: Decoder,
  rows: readonly LossBatch[],
  runOptions: RunOptions | undefined,
  onRow: (done: number) => void,
): Promise<Map<BlockName, GradientSums>> {
  const { decoder, gates } = insertNeuronGates(whole, { perToken: true });
  attachLoss(decoder, ['loss']);
  const graph = new Graph(decoder.model.graph);
  widenFloats(graph);
  keepActivations(graph);
  const ones = onesFor(gates, Math.max(PROBED, ...rows.map(({ mask }) => mask.length)));
  const opened = await openGradient({
    decoder,
    loss: LOSS_OUTPUTS.loss,
    gates: new Set(gates.map(({ name }) => name)),
    leaves: gates,
    probes: [3, PROBED].map((positions) => ({
      ...probeFeeds(decoder, 1, positions),
      ...openGates(gates, positions, ones),
    })),
    runOptions: runOptions ?? {},
  });
  const sums = new Map(
    gates.map(({ block, width }) => [
      block,
      { taylor: new Float64Array(width), fisher: new Float64Array(width) },
    ]),
  );
  try {
    const feeds = rows.map((row) => ({ ...row.feeds, ...openGates(gates, row.mask.length, ones) }));
    let done = 0;
    for await (const results of opened.model.runEach(feeds)) {
      for (const { name, block } of gates) {
        const products = float32Values(results[opened.gradients.get(name)!]!);
        // The loss is a mean over the row's response tokens.
        addProducts(sums.get(block)!, products, rows[done]!.labels.length);
      }
      onRow((done += 1));
    }
  } finally {
    await opened.model.release();
  }
  return sums;
}

/** @param products [tokens, width] */
function addProducts({ taylor, fisher }: GradientSums, products: Float32Array, factor: number): void {
  const width = taylor.length;
  for (let start = 0; start < products.length; start += width) {
    for (let at = 0; at < width; at += 1) {
      const product = products[start + at]! * factor;
      taylor[at]! += product;
      fisher[at]! += product * product;
    }
  }
}

/** Feeds of ones for so many tokens. */
function openGates(gates: readonly NeuronGate[], tokens: number, ones: Float32Array): Feeds {
  return Object.fromEntries(
    gates.map(({ name, width }) => [name, float32Tensor(ones.subarray(0, tokens * width), [tokens, width])]),
  );
}

/** As many as gates for so many tokens need, which all share them. */
function onesFor(gates: readonly NeuronGate[], tokens: number): Float32Array {
  return new Float32Array(tokens * Math.max(0, ...gates.map(({ width }) => width))).fill(1);
}
