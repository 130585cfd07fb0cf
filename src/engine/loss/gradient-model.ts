/** Gradients of a batch's loss by every scale, and the loss, from a decoder with gates in onnxruntime. */
import type { BlockName } from '../../schema/blocks.js';
import type { LossKind } from '../../schema/settings.js';
import type { Feeds, RunnableModel } from '../runtime/session.js';
import { float32Values, type RuntimeTensor } from '../runtime/tensors.js';
import type { LossModelOptions } from './forward-model.js';
import { gateFeeds, gateSize, type KeyedGate } from './gated-decoder.js';
import { batchFeeds, type LossBatch } from './loss-batch.js';
import { LOSS_OUTPUTS } from './loss-values.js';
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
