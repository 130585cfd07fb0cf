/** A decoder with gates and a loss in onnxruntime, without gradients: losses, predictions and logits. */
import type { Granularity, LossKind } from '../../schema/settings.js';
import type { BlockName } from '../../schema/blocks.js';
import type { Decoder } from '../decoder/decoder.js';
import { allPositions } from '../decoder/edit/all-positions.js';
import { deleteBlocks } from '../decoder/edit/delete-blocks.js';
import { sharesTokens, withDistinctTokens } from '../decoder/edit/distinct-tokens.js';
import { withFiniteMasks } from '../decoder/edit/finite-masks.js';
import { SegmentedModel } from '../runtime/segmented-model.js';
import type { Feeds, RunnableModel, RunOptions } from '../runtime/session.js';
import { float32Tensor, float32Values, int64Tensor, type RuntimeTensor } from '../runtime/tensors.js';
import { gateDecoder, gateFeeds, gateSize, type KeyedGate } from './gated-decoder.js';
import { allDistinct } from './distinct-feeds.js';
import type { TokenTargets } from './divergence.js';
import { batchFeeds, makeLossBatch, type LossBatch } from './loss-batch.js';
import { attachLoss } from './loss-head.js';
import { openLossDecoder } from './segmented-forward.js';
import { LOSS_INPUTS, LOSS_OUTPUTS } from './loss-values.js';
import type { ScaleKey, Scales } from '../decoder/scales.js';

export interface LossModelOptions {
  /** Blocks that are deleted from the graph; blocks that are only tried are gated with zero instead. */
  skipped: readonly BlockName[];
  granularity: Granularity;
  /** What the loss is of; default: cross-entropy. A divergence needs batches with targets. */
  loss?: LossKind;
  runOptions?: RunOptions;
}

export interface TokenResults {
  /** Mean over the response tokens of what the model was opened for: cross-entropy or divergence, in nats. */
  loss: number;
  /** Negative log-likelihood of each response token, in nats. */
  tokenLosses: Float32Array;
  /** The most likely token at each response position. */
  predictions: Int32Array;
}

/** A batch, and the scales that it is run with. */
export interface ForwardRun {
  batch: LossBatch;
  scales: Scales;
}

export interface ResultsWithLogits extends TokenResults {
  /** As `ForwardModel.logits` gives them. */
  logits: Float32Array;
}

export interface ResultsWithHidden extends TokenResults {
  /** As `ForwardModel.hidden` gives it. */
  hidden: Float32Array;
}

export interface ResultsWithTargets extends ResultsWithHidden {
  targets: TokenTargets;
}

/** From the head alone. */
export interface HeadTargets extends TokenResults {
  targets: TokenTargets;
}

const TOKEN_OUTPUTS = [LOSS_OUTPUTS.loss, LOSS_OUTPUTS.tokenLosses, LOSS_OUTPUTS.predictions];
const LOGITS_OUTPUTS = [...TOKEN_OUTPUTS, LOSS_OUTPUTS.logits];
const HIDDEN_OUTPUTS = [...TOKEN_OUTPUTS, LOSS_OUTPUTS.hidden];
const TARGET_OUTPUTS = [LOSS_OUTPUTS.topTokens, LOSS_OUTPUTS.topLogProbabilities];

/** Losses and predictions without gradients. Made by `openForwardModel`. */
export class ForwardModel {
  readonly #model: RunnableModel;
  readonly #gates: readonly KeyedGate[];
  /** What the batches are for. */
  readonly #decoder: Decoder;
  readonly #kind: LossKind;

  constructor(model: RunnableModel, gates: readonly KeyedGate[], decoder: Decoder, kind: LossKind) {
    this.#model = model;
    this.#gates = gates;
    this.#decoder = decoder;
    this.#kind = kind;
  }

  /** Keys of all scales, and their sizes. */
  get scaleSizes(): ReadonlyMap<ScaleKey, number> {
    return new Map(this.#gates.map((gate) => [gate.key, gateSize(gate)]));
  }

  async run(batch: LossBatch, scales: Scales): Promise<TokenResults> {
    return tokenResults(await this.#model.run(this.#feeds({ batch, scales }), TOKEN_OUTPUTS));
  }

  /** Results of several batches or scales in turn; segments that are loaded in turn are loaded once for all. */
  async *runEach(runs: readonly ForwardRun[]): AsyncGenerator<TokenResults> {
    const feeds = runs.map((run) => this.#feeds(run));
    for await (const results of this.#model.runEach(feeds, TOKEN_OUTPUTS)) yield tokenResults(results);
  }

  /** Results of several batches or scales in turn, with the logits of the response tokens as `logits` gives them. */
  async *runEachWithLogits(runs: readonly ForwardRun[]): AsyncGenerator<ResultsWithLogits> {
    const feeds = runs.map((run) => this.#feeds(run));
    for await (const results of this.#model.runEach(feeds, LOGITS_OUTPUTS)) yield resultsWithLogits(results);
  }

  /** Whether the head can be run alone, on a stream that is known. */
  get hasHead(): boolean {
    return this.#model instanceof SegmentedModel && this.#model.lastStream !== undefined;
  }

  /**
   * As `runEachWithLogits`, from the last values of the stream, so that only norm and head are computed.
   * @param stream float32 [response tokens, hidden size]: those of the response positions with the same scales
   * @throws RangeError without a head that can be run alone
   */
  async runHead(run: ForwardRun, stream: Float32Array): Promise<ResultsWithLogits> {
    return resultsWithLogits(await this.#runHead(run, stream, LOGITS_OUTPUTS));
  }

  /** The same with the most likely tokens in the place of the logits. */
  async runHeadWithTargets(run: ForwardRun, stream: Float32Array): Promise<HeadTargets> {
    const results = await this.#runHead(run, stream, [...TOKEN_OUTPUTS, ...TARGET_OUTPUTS]);
    return { ...tokenResults(results), targets: tokenTargets(results) };
  }

  async #runHead(
    { batch, scales }: ForwardRun,
    stream: Float32Array,
    outputs: readonly string[],
  ): Promise<Record<string, RuntimeTensor>> {
    const model = this.#model instanceof SegmentedModel ? this.#model : undefined;
    const name = model?.lastStream;
    if (!model || name === undefined) throw new RangeError('A head that cannot be run alone');
    const tokens = batch.labels.length;
    const feeds = {
      ...this.#feeds({ batch, scales }),
      [name]: float32Tensor(stream, [1, tokens, stream.length / tokens]),
      [LOSS_INPUTS.positions]: int64Tensor([...batch.labels.keys()], [tokens]),
      ...(sharesTokens(this.#decoder) ? allDistinct(tokens) : {}),
    };
    return await model.runLast(feeds, outputs);
  }

  /** float32 [response tokens, vocabulary], row by row: the logits that predict each response token. */
  async logits(batch: LossBatch, scales: Scales): Promise<Float32Array> {
    const results = await this.#model.run(this.#feeds({ batch, scales }), [LOSS_OUTPUTS.logits]);
    return float32Values(results[LOSS_OUTPUTS.logits]!);
  }

  /** Bytes of `logits` for a batch. */
  logitsBytes(batch: LossBatch): number {
    return batch.labels.length * this.#decoder.vocabularySize * Float32Array.BYTES_PER_ELEMENT;
  }

  /** Some rows of a batch, which for a divergence would lack the original's distributions. */
  rowsOf({ source }: LossBatch, [start, end]: readonly [number, number]): LossBatch {
    return makeLossBatch(this.#decoder, source.slice(start, end), 0);
  }

  /** float32 [rows, positions, hidden size]: the last value of the residual stream. */
  async hidden(batch: LossBatch, scales: Scales): Promise<Float32Array> {
    const results = await this.#model.run(this.#feeds({ batch, scales }), [LOSS_OUTPUTS.hidden]);
    return float32Values(results[LOSS_OUTPUTS.hidden]!);
  }

  /** Results of several batches or scales in turn, with `hidden`. */
  async *runEachWithHidden(runs: readonly ForwardRun[]): AsyncGenerator<ResultsWithHidden> {
    const feeds = runs.map((run) => this.#feeds(run));
    for await (const results of this.#model.runEach(feeds, HIDDEN_OUTPUTS)) yield resultsWithHidden(results);
  }

  /** The same with the most likely tokens at each response position. */
  async *runEachWithTargets(runs: readonly ForwardRun[]): AsyncGenerator<ResultsWithTargets> {
    const feeds = runs.map((run) => this.#feeds(run));
    const outputs = [...HIDDEN_OUTPUTS, ...TARGET_OUTPUTS];
    for await (const results of this.#model.runEach(feeds, outputs))
      yield { ...resultsWithHidden(results), targets: tokenTargets(results) };
  }

  /** The most likely tokens of each batch's response positions in turn; default: with all scales where they start. */
  async *topTokensEach(
    batches: readonly LossBatch[],
    scales: Scales = new Map(),
  ): AsyncGenerator<TokenTargets> {
    const feeds = batches.map((batch) => this.#feeds({ batch, scales }));
    for await (const results of this.#model.runEach(feeds, TARGET_OUTPUTS)) yield tokenTargets(results);
  }

  /** The loss and the last value of the residual stream, as of `run` and `hidden`, for several batches or scales in turn. */
  async *lossAndHiddenEach(
    runs: readonly ForwardRun[],
  ): AsyncGenerator<{ loss: number; hidden: Float32Array }> {
    const feeds = runs.map((run) => this.#feeds(run));
    for await (const results of this.#model.runEach(feeds, [LOSS_OUTPUTS.loss, LOSS_OUTPUTS.hidden])) {
      yield {
        loss: float32Values(results[LOSS_OUTPUTS.loss]!)[0]!,
        hidden: float32Values(results[LOSS_OUTPUTS.hidden]!),
      };
    }
  }

  async release(): Promise<void> {
    await this.#model.release();
  }

  #feeds({ batch, scales }: ForwardRun): Feeds {
    return { ...batchFeeds(this.#decoder, batch, this.#kind), ...gateFeeds(this.#gates, scales) };
  }
}

function tokenResults(results: Record<string, RuntimeTensor>): TokenResults {
  return {
    loss: float32Values(results[LOSS_OUTPUTS.loss]!)[0]!,
    tokenLosses: float32Values(results[LOSS_OUTPUTS.tokenLosses]!),
    predictions: Int32Array.from(results[LOSS_OUTPUTS.predictions]!.data as BigInt64Array, Number),
  };
}

function resultsWithHidden(results: Record<string, RuntimeTensor>): ResultsWithHidden {
  return { ...tokenResults(results), hidden: float32Values(results[LOSS_OUTPUTS.hidden]!) };
}

function resultsWithLogits(results: Record<string, RuntimeTensor>): ResultsWithLogits {
  return { ...tokenResults(results), logits: float32Values(results[LOSS_OUTPUTS.logits]!) };
}

function tokenTargets(results: Record<string, RuntimeTensor>): TokenTargets {
  const tokens = results[LOSS_OUTPUTS.topTokens]!;
  return {
    tokens: Int32Array.from(tokens.data as BigInt64Array, Number),
    logProbabilities: float32Values(results[LOSS_OUTPUTS.topLogProbabilities]!),
    kept: tokens.dims.at(-1)!,
  };
}

/** @throws UserError if onnxruntime cannot load the graph */
export async function openForwardModel(decoder: Decoder, options: LossModelOptions): Promise<ForwardModel> {
  const { gated, gates } = gatedDecoder(decoder, options);
  const { loss = 'cross-entropy', runOptions } = options;
  const outputs = [
    'loss',
    'tokenLosses',
    'predictions',
    'logits',
    'topLogProbabilities',
    'topTokens',
    'hidden',
  ] as const;
  attachLoss(gated, outputs, loss);
  const model = await openLossDecoder(gated, new Set(gates.map(({ name }) => name)), runOptions);
  return new ForwardModel(model, gates, decoder, loss);
}

/** The gated decoder of the options, skipped blocks deleted, that computes each distinct token once. */
export function gatedDecoder(
  decoder: Decoder,
  options: LossModelOptions,
): { gated: Decoder; gates: KeyedGate[] } {
  const whole = withFiniteMasks(allPositions(decoder));
  const pruned = options.skipped.length > 0 ? deleteBlocks(whole, options.skipped) : whole;
  const { gated, gates } = gateDecoder(whole, pruned, options.granularity);
  return { gated: withDistinctTokens(gated), gates };
}
