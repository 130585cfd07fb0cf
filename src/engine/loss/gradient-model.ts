/** Gradients of a batch's loss by every scale, and the loss, from a decoder with gates in onnxruntime. */
import type { Decoder } from '../decoder/decoder.js';
import type { LossKind } from '../../schema/settings.js';
import type { Feeds, RunnableModel } from '../runtime/session.js';
import { float32Values, type RuntimeTensor } from '../runtime/tensors.js';
import type { LossModelOptions } from './forward-model.js';
import { gateFeeds, gateSize, type KeyedGate } from './gated-decoder.js';
import { batchParts } from './batch-parts.js';
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

export interface OpenedGradient {
  model: RunnableModel;
  /** What the batches are for. */
  decoder: Decoder;
  gates: readonly KeyedGate[];
  /** Names of the gradients by the gates'. */
  gradients: ReadonlyMap<string, string>;
  kind: LossKind;
  /** Distinct tokens that run at once; a row alone may have more. */
  mostTokens: number;
}

/** Gradients of the loss by the scales, and the loss. Made by `openGradientModel`. */
export class GradientModel {
  readonly #opened: OpenedGradient;
  readonly #trained: readonly KeyedGate[];

  constructor(opened: OpenedGradient) {
    this.#opened = opened;
    this.#trained = opened.gates.filter(({ name }) => opened.gradients.has(name));
  }

  /** Keys of all scales that have a gradient, and their sizes. */
  get scaleSizes(): ReadonlyMap<ScaleKey, number> {
    return new Map(this.#trained.map((gate) => [gate.key, gateSize(gate)]));
  }

  /**
   * @param match feeds of `hiddenMatchFeeds`, where the model was opened with `matchHidden`
   * @returns the loss, without the distance from hidden states, and of both together the value and the gradients
   */
  async run(batch: LossBatch, scales: Scales, match?: Feeds): Promise<LossAndGradients> {
    for await (const results of this.runEach([{ batch, scales, ...(match && { match }) }])) return results;
    throw new RangeError('A run without results');
  }

  /** Losses and gradients of several batches or scales in turn; segments that are loaded in turn are loaded once for all. */
  async *runEach(runs: readonly GradientRun[]): AsyncGenerator<LossAndGradients> {
    const { model, decoder, mostTokens } = this.#opened;
    const parts = runs.flatMap(({ batch, scales, match = {} }) => {
      // The distance from hidden states is relative to those of the whole batch.
      const most = Object.keys(match).length > 0 ? Infinity : mostTokens;
      return batchParts(decoder, batch, most).map((part, index, { length }) => ({
        feeds: this.#feeds({ batch: part.batch, scales, match }),
        share: part.share,
        isLast: index === length - 1,
      }));
    });
    let sum: LossAndGradients | undefined;
    let index = 0;
    for await (const results of model.runEach(parts.map(({ feeds }) => feeds))) {
      const { share, isLast } = parts[index++]!;
      const whole = isLast && sum === undefined;
      sum = whole ? this.#read(results) : added(sum, this.#read(results), share);
      if (!isLast) continue;
      yield sum;
      sum = undefined;
    }
  }

  async release(): Promise<void> {
    await this.#opened.model.release();
  }

  #feeds({ batch, scales, match }: GradientRun): Feeds {
    const { decoder, kind, gates } = this.#opened;
    return { ...batchFeeds(decoder, batch, kind), ...gateFeeds(gates, scales), ...match };
  }

  #read(results: Record<string, RuntimeTensor>): LossAndGradients {
    const { gradients: names } = this.#opened;
    const gradients = new Map(
      this.#trained.map((gate) => [gate.key, float32Values(results[names.get(gate.name)!]!)]),
    );
    const loss = float32Values(results[LOSS_OUTPUTS.loss]!)[0]!;
    const objective = results[LOSS_OUTPUTS.objective];
    return { loss, objective: objective ? float32Values(objective)[0]! : loss, gradients };
  }
}

/** The share of one part's means, added to the sum of those before. */
function added(sum: LossAndGradients | undefined, part: LossAndGradients, share: number): LossAndGradients {
  const gradients = new Map(
    [...part.gradients].map(([key, values]) => {
      const before = sum?.gradients.get(key);
      return [key, values.map((value, index) => (before?.[index] ?? 0) + share * value)];
    }),
  );
  const plus = (before: number | undefined, value: number) => (before ?? 0) + share * value;
  return { loss: plus(sum?.loss, part.loss), objective: plus(sum?.objective, part.objective), gradients };
}

export interface GradientModelOptions extends LossModelOptions {
  /** Whether the gradient is that of the loss and of the distance from the original's hidden states. */
  matchHidden?: boolean;
  /** Scales whose gradients are wanted; nothing is differentiated below the first of them. Default: all. */
  trained?: (key: ScaleKey) => boolean;
}
