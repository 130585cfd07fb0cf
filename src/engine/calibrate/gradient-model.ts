/** A decoder with gates in onnxruntime: the loss of a batch, and its gradients by every scale. */
import { differentiate } from '../autodiff/differentiate.js';
import { keepActivations } from '../autodiff/lower/full-accuracy.js';
import { findLowering, lowerOperators } from '../autodiff/lower/index.js';
import { widenFloats } from '../autodiff/lower/widen-floats.js';
import { blockName, type BlockName, type Decoder } from '../decoder/decoder.js';
import { upgradeOpset } from '../autodiff/lower/upgrade-opset.js';
import { rereadDecoder } from '../decoder/read-decoder.js';
import { DataType } from '../onnx/data-types.js';
import { Graph } from '../onnx/graph.js';
import { opsetVersion, type OnnxModel } from '../onnx/model-file.js';
import { makeValueInfo } from '../onnx/value-info.js';
import { emptyCache, tokenFeeds } from '../runtime/decoder-feeds.js';
import { probeTypes } from '../runtime/probe-types.js';
import { openSession, type Feeds, type Session } from '../runtime/session.js';
import { float32Tensor, float32Values, int64Tensor } from '../runtime/tensors.js';
import { gatedDecoder, type LossModelOptions } from './forward-model.js';
import { gateFeeds, gateSize, type KeyedGate } from './gated-decoder.js';
import { hiddenMatchProbe } from './hidden-match.js';
import type { LossBatch } from './loss-batch.js';
import { LOSS_INPUTS, LOSS_OUTPUTS, attachLoss } from './loss-head.js';
import type { ScaleKey, Scales } from './scales.js';

/** Gradients of the loss by the scales, and the loss. Made by `openGradientModel`. */
export class GradientModel {
  readonly #session: Session;
  readonly #gates: readonly KeyedGate[];
  readonly #gradients: ReadonlyMap<string, string>;
  readonly #shared: ReadonlySet<BlockName>;

  /** @param shared blocks whose residual addition holds another block too (parallel residuals) */
  constructor(
    session: Session,
    gates: readonly KeyedGate[],
    gradients: ReadonlyMap<string, string>,
    shared: ReadonlySet<BlockName>,
  ) {
    this.#session = session;
    this.#gates = gates;
    this.#gradients = gradients;
    this.#shared = shared;
  }

  /** Whether another block is added to the stream in the same step (parallel residuals). */
  sharesResidual(block: BlockName): boolean {
    return this.#shared.has(block);
  }

  /** Keys of all scales that have a gradient, and their sizes. */
  get scaleSizes(): ReadonlyMap<ScaleKey, number> {
    return new Map(this.#gates.map((gate) => [gate.key, gateSize(gate)]));
  }

  /**
   * @param match feeds of `hiddenMatchFeeds`, where the model was opened with `matchHidden`
   * @returns the loss, without the distance from hidden states, and the gradients of both together
   */
  async run(
    batch: LossBatch,
    scales: Scales,
    match: Feeds = {},
  ): Promise<{ loss: number; gradients: Map<ScaleKey, Float32Array> }> {
    const results = await this.#session.run({ ...batch.feeds, ...gateFeeds(this.#gates, scales), ...match });
    const gradients = new Map(
      this.#gates.map((gate) => [gate.key, float32Values(results[this.#gradients.get(gate.name)!]!)]),
    );
    return { loss: float32Values(results[LOSS_OUTPUTS.loss]!)[0]!, gradients };
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}

export interface GradientModelOptions extends LossModelOptions {
  /** Whether the gradient is that of the loss and of the distance from the original's hidden states. */
  matchHidden?: boolean;
}

/** @throws UserError if an operator has no gradient rule or onnxruntime cannot load the graph */
export async function openGradientModel(
  decoder: Decoder,
  options: GradientModelOptions,
): Promise<GradientModel> {
  const objective = options.matchHidden ? 'objective' : 'loss';
  const upgraded = rereadDecoder(upgradeOpset(decoder.model), decoder);
  const { gated, gates } = gatedDecoder(upgraded, options);
  attachLoss(gated, options.matchHidden ? ['loss', 'objective'] : ['loss']);
  const { model } = gated;
  const graph = new Graph(model.graph);
  const probes = [[2, 3] as const, [3, 5] as const].map(([rows, positions]) => ({
    ...probeFeeds(gated, gates, rows, positions),
    ...(options.matchHidden ? hiddenMatchProbe(rows, positions, decoder.hiddenSize) : {}),
  }));
  await lowerModel(model, graph, probes);
  const types = await probeTypes(model, probes);
  const leaves = gates.map((gate) => gate.name);
  const opset = opsetVersion(model)!;
  const gradients = differentiate(graph, { loss: LOSS_OUTPUTS[objective], leaves, types, opset });
  for (const gate of gates) {
    graph.proto.output.push(makeValueInfo(gradients.get(gate.name)!, DataType.FLOAT, gate.shape));
  }
  graph.removeUnused();
  const shared = decoder.steps
    .filter((step) => step.branches.length > 1)
    .flatMap((step) => step.branches.map(blockName));
  return new GradientModel(await openSession(model, options.session), gates, gradients, new Set(shared));
}

/** Brings a model to float32 and to operators that have gradient rules. */
async function lowerModel(model: OnnxModel, graph: Graph, probes: readonly Feeds[]): Promise<void> {
  widenFloats(graph);
  keepActivations(graph);
  if (!graph.nodes.some((node) => findLowering(node))) return;
  lowerOperators(graph, await probeTypes(model, probes));
}

function probeFeeds(decoder: Decoder, gates: readonly KeyedGate[], rows: number, positions: number): Feeds {
  const tokens = Array.from({ length: rows * positions }, (_, index) => index % decoder.vocabularySize);
  const lossTokens = rows * positions - 1;
  return {
    ...tokenFeeds(decoder, { rows, positions, ids: tokens }),
    ...emptyCache(decoder, rows),
    ...gateFeeds(gates, new Map()),
    [LOSS_INPUTS.positions]: int64Tensor(
      tokens.slice(0, lossTokens).map((_, index) => index),
      [lossTokens],
    ),
    [LOSS_INPUTS.labels]: int64Tensor(tokens.slice(0, lossTokens), [lossTokens]),
    [LOSS_INPUTS.weights]: float32Tensor(new Float32Array(lossTokens), [lossTokens]),
  };
}
