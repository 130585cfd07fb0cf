/** A decoder with gates in onnxruntime: the loss of a batch, and its gradients by every scale. */
import type { BlockName } from '../../schema/blocks.js';
import type { LossKind, Provider } from '../../schema/settings.js';
import { keepActivations } from '../autodiff/lower/full-accuracy.js';
import { widenFloats } from '../onnx/graph/widen-floats.js';
import { blockName, type Decoder } from '../decoder/decoder.js';
import { upgradeOpset } from '../onnx/opset/upgrade-opset.js';
import { rereadDecoder } from '../decoder/read/read-decoder.js';
import { Graph } from '../onnx/graph/graph.js';
import { emptyCache, tokenFeeds } from '../runtime/decoder-feeds.js';
import type { Feeds, RunnableModel } from '../runtime/session.js';
import { float32Tensor, float32Values, int64Tensor, type RuntimeTensor } from '../runtime/tensors.js';
import { gatedDecoder, type LossModelOptions } from './forward-model.js';
import { gateFeeds, gateSize, type KeyedGate } from './gated-decoder.js';
import { hiddenMatchProbe } from './hidden-match.js';
import { targetProbe } from './divergence.js';
import { requireSameGradients } from './gradient-check.js';
import { batchFeeds, makeLossBatch, type LossBatch } from './loss-batch.js';
import { attachLoss } from './loss-head.js';
import { LOSS_INPUTS, LOSS_OUTPUTS } from './loss-values.js';
import { openGradient } from './open-gradient.js';
import type { ScaleKey, Scales } from '../decoder/scales.js';

/** A batch, the scales that it is run with, and the feeds of `hiddenMatchFeeds`, if any. */
export interface GradientRun {
  batch: LossBatch;
  scales: Scales;
  match?: Feeds;
}

export interface LossAndGradients {
  loss: number;
  /** What the gradients are of: the loss, with the distance from hidden states where the model has that. */
  objective: number;
  gradients: Map<ScaleKey, Float32Array>;
}

/** Gradients of the loss by the scales, and the loss. Made by `openGradientModel`. */
export class GradientModel {
  readonly #model: RunnableModel;
  readonly #gates: readonly KeyedGate[];
  readonly #trained: readonly KeyedGate[];
  readonly #gradients: ReadonlyMap<string, string>;
  readonly #shared: ReadonlySet<BlockName>;
  readonly #kind: LossKind;

  /** @param shared blocks whose residual addition holds another block too (parallel residuals) */
  constructor(
    model: RunnableModel,
    gates: readonly KeyedGate[],
    gradients: ReadonlyMap<string, string>,
    shared: ReadonlySet<BlockName>,
    kind: LossKind,
  ) {
    this.#model = model;
    this.#gates = gates;
    this.#trained = gates.filter(({ name }) => gradients.has(name));
    this.#gradients = gradients;
    this.#shared = shared;
    this.#kind = kind;
  }

  /** Whether another block is added to the stream in the same step (parallel residuals). */
  sharesResidual(block: BlockName): boolean {
    return this.#shared.has(block);
  }

  /** Keys of all scales that have a gradient, and their sizes. */
  get scaleSizes(): ReadonlyMap<ScaleKey, number> {
    return new Map(this.#trained.map((gate) => [gate.key, gateSize(gate)]));
  }

  /**
   * @param match feeds of `hiddenMatchFeeds`, where the model was opened with `matchHidden`
   * @returns the loss, without the distance from hidden states, and of both together the value and the gradients
   */
  async run(batch: LossBatch, scales: Scales, match: Feeds = {}): Promise<LossAndGradients> {
    return this.#read(await this.#model.run(this.#feeds({ batch, scales, match })));
  }

  /** Losses and gradients of several batches or scales in turn; segments that are loaded in turn are loaded once for all. */
  async *runEach(runs: readonly GradientRun[]): AsyncGenerator<LossAndGradients> {
    const feeds = runs.map((run) => this.#feeds(run));
    for await (const results of this.#model.runEach(feeds)) yield this.#read(results);
  }

  #feeds({ batch, scales, match }: GradientRun): Feeds {
    return { ...batchFeeds(batch, this.#kind), ...gateFeeds(this.#gates, scales), ...match };
  }

  #read(results: Record<string, RuntimeTensor>): LossAndGradients {
    const gradients = new Map(
      this.#trained.map((gate) => [gate.key, float32Values(results[this.#gradients.get(gate.name)!]!)]),
    );
    const loss = float32Values(results[LOSS_OUTPUTS.loss]!)[0]!;
    const objective = results[LOSS_OUTPUTS.objective];
    return { loss, objective: objective ? float32Values(objective)[0]! : loss, gradients };
  }

  async release(): Promise<void> {
    await this.#model.release();
  }
}

export interface GradientModelOptions extends LossModelOptions {
  /** Whether the gradient is that of the loss and of the distance from the original's hidden states. */
  matchHidden?: boolean;
  /** Scales whose gradients are wanted; nothing is differentiated below the first of them. Default: all. */
  trained?: (key: ScaleKey) => boolean;
}

/**
 * @throws UserError if an operator has no gradient rule or onnxruntime cannot load the graph
 * @throws ProviderFailure if another device than the CPU computes other gradients than it
 */
export async function openGradientModel(
  decoder: Decoder,
  options: GradientModelOptions,
): Promise<GradientModel> {
  const upgraded = rereadDecoder(upgradeOpset(decoder.model), decoder);
  const { gated, gates } = gatedDecoder(upgraded, options);
  const { loss: kind = 'cross-entropy' } = options;
  attachLoss(gated, options.matchHidden ? ['loss', 'objective'] : ['loss'], kind);
  const graph = new Graph(gated.model.graph);
  widenFloats(graph);
  keepActivations(graph);
  const probes = [[2, 3] as const, [3, 5] as const].map(([rows, positions]) => ({
    ...probeFeeds(gated, rows, positions),
    ...gateFeeds(gates, new Map()),
    ...(kind === 'divergence' ? targetProbe(rows * positions - 1, rows) : {}),
    ...(options.matchHidden ? hiddenMatchProbe(rows, positions, decoder.hiddenSize) : {}),
  }));
  const loss = LOSS_OUTPUTS[options.matchHidden ? 'objective' : 'loss'];
  const leaves = gates.filter(({ key }) => options.trained?.(key) ?? true);
  const task = {
    decoder: gated,
    loss,
    gates: new Set(gates.map(({ name }) => name)),
    leaves,
    probes,
    runOptions: options.runOptions ?? {},
  };
  const opened = await openGradient(task);
  const shared = decoder.steps
    .filter((step) => step.blocks.length > 1)
    .flatMap((step) => step.blocks.map(blockName));
  const gradientModel = new GradientModel(opened.model, gates, opened.gradients, new Set(shared), kind);
  const provider = options.runOptions?.provider ?? 'cpu';
  if (provider !== 'cpu') await compareWithCpu(gradientModel, provider, decoder, options);
  return gradientModel;
}

/** Rows and tokens of each on which another device's gradients are held against the CPU's. */
const COMPARED = { rows: 3, tokens: 41 };

/** @throws ProviderFailure if the device computes other gradients; the model is released then */
async function compareWithCpu(
  model: GradientModel,
  provider: Provider,
  decoder: Decoder,
  options: GradientModelOptions,
): Promise<void> {
  const rows = Array.from({ length: COMPARED.rows }, (_, row) => ({
    ids: Array.from(
      { length: COMPARED.tokens },
      (__, at) => (at * 7 + row * 11 + at * at) % decoder.vocabularySize,
    ),
    responseStart: COMPARED.tokens >> 1,
  }));
  const batch = makeLossBatch(decoder, rows, 0);
  batch.targets = targetProbe(batch.labels.length, 2);
  const match = options.matchHidden
    ? hiddenMatchProbe(COMPARED.rows, COMPARED.tokens - 1, decoder.hiddenSize)
    : {};
  try {
    const own = await model.run(batch, new Map(), match);
    const { segments: _, ...runOptions } = options.runOptions ?? {};
    const onCpu = await openGradientModel(decoder, {
      ...options,
      runOptions: { ...runOptions, provider: 'cpu' },
    });
    const cpu = await onCpu.run(batch, new Map(), match);
    await onCpu.release();
    requireSameGradients(provider, own.gradients, cpu.gradients);
  } catch (error) {
    await model.release();
    throw error;
  }
}

/** Feeds of a size for finding out types, but for the gates. */
export function probeFeeds(decoder: Decoder, rows: number, positions: number): Feeds {
  const tokens = Array.from({ length: rows * positions }, (_, index) => index % decoder.vocabularySize);
  const lossTokens = rows * positions - 1;
  return {
    ...tokenFeeds(decoder, { rows, positions, ids: tokens }),
    ...emptyCache(decoder, rows),
    [LOSS_INPUTS.positions]: int64Tensor(
      tokens.slice(0, lossTokens).map((_, index) => index),
      [lossTokens],
    ),
    [LOSS_INPUTS.labels]: int64Tensor(tokens.slice(0, lossTokens), [lossTokens]),
    [LOSS_INPUTS.weights]: float32Tensor(new Float32Array(lossTokens), [lossTokens]),
  };
}
