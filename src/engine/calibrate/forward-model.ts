/** A decoder with gates and a loss in onnxruntime, without gradients: losses, predictions and logits. */
import type { BlockName, Decoder } from '../decoder/decoder.js';
import { deleteBranches } from '../decoder/delete-branches.js';
import { openSession, type Session, type SessionOptions } from '../runtime/session.js';
import { float32Values } from '../runtime/tensors.js';
import { gateDecoder, gateFeeds, type KeyedGate } from './gated-decoder.js';
import type { LossBatch } from './loss-batch.js';
import { LOSS_OUTPUTS, attachLoss } from './loss-head.js';
import type { Granularity, Scales } from './scales.js';

export interface LossModelOptions {
  /** Blocks that are deleted from the graph; blocks that are only tried are gated with zero instead. */
  skipped: readonly BlockName[];
  granularity: Granularity;
  session?: SessionOptions;
}

export interface TokenResults {
  /** Mean negative log-likelihood of the response tokens, in nats. */
  loss: number;
  /** One entry a response token. */
  tokenLosses: Float32Array;
  /** The most likely token at each response position. */
  predictions: Int32Array;
}

/** Losses and predictions without gradients. Made by `openForwardModel`. */
export class ForwardModel {
  readonly #session: Session;
  readonly #gates: readonly KeyedGate[];

  constructor(session: Session, gates: readonly KeyedGate[]) {
    this.#session = session;
    this.#gates = gates;
  }

  async run(batch: LossBatch, scales: Scales): Promise<TokenResults> {
    const results = await this.#session.run({ ...batch.feeds, ...gateFeeds(this.#gates, scales) }, [
      LOSS_OUTPUTS.loss,
      LOSS_OUTPUTS.tokenLosses,
      LOSS_OUTPUTS.predictions,
    ]);
    return {
      loss: float32Values(results[LOSS_OUTPUTS.loss]!)[0]!,
      tokenLosses: float32Values(results[LOSS_OUTPUTS.tokenLosses]!),
      predictions: Int32Array.from(results[LOSS_OUTPUTS.predictions]!.data as BigInt64Array, Number),
    };
  }

  /** float32 [response tokens, vocabulary], row by row: the logits that predict each response token. */
  async logits(batch: LossBatch, scales: Scales): Promise<Float32Array> {
    const results = await this.#session.run({ ...batch.feeds, ...gateFeeds(this.#gates, scales) }, [
      LOSS_OUTPUTS.logits,
    ]);
    return float32Values(results[LOSS_OUTPUTS.logits]!);
  }

  /** float32 [rows, positions, hidden size]: the last value of the residual stream. */
  async hidden(batch: LossBatch, scales: Scales): Promise<Float32Array> {
    const results = await this.#session.run({ ...batch.feeds, ...gateFeeds(this.#gates, scales) }, [
      LOSS_OUTPUTS.hidden,
    ]);
    return float32Values(results[LOSS_OUTPUTS.hidden]!);
  }

  /** The loss and the last value of the residual stream, as of `run` and `hidden`. */
  async lossAndHidden(batch: LossBatch, scales: Scales): Promise<{ loss: number; hidden: Float32Array }> {
    const results = await this.#session.run({ ...batch.feeds, ...gateFeeds(this.#gates, scales) }, [
      LOSS_OUTPUTS.loss,
      LOSS_OUTPUTS.hidden,
    ]);
    return {
      loss: float32Values(results[LOSS_OUTPUTS.loss]!)[0]!,
      hidden: float32Values(results[LOSS_OUTPUTS.hidden]!),
    };
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}

/** @throws UserError if onnxruntime cannot load the graph */
export async function openForwardModel(decoder: Decoder, options: LossModelOptions): Promise<ForwardModel> {
  const { gated, gates } = gatedDecoder(decoder, options);
  attachLoss(gated, ['loss', 'tokenLosses', 'predictions', 'logits', 'hidden']);
  return new ForwardModel(await openSession(gated.model, options.session), gates);
}

/** The gated decoder of the options, skipped blocks deleted. */
export function gatedDecoder(
  decoder: Decoder,
  options: LossModelOptions,
): { gated: Decoder; gates: KeyedGate[] } {
  const pruned = options.skipped.length > 0 ? deleteBranches(decoder, options.skipped) : decoder;
  return gateDecoder(decoder, pruned, options.granularity);
}
