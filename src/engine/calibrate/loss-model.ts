/** A decoder with gates and a loss in onnxruntime: losses, and gradients of the loss by every scale. */
import { differentiate } from '../autodiff/differentiate.js';
import { deleteBranches } from '../decoder/delete-branches.js';
import { blockName, branchesOf, type BlockName, type Decoder } from '../decoder/decoder.js';
import { insertGates, type Gate } from '../decoder/gates.js';
import { DataType } from '../onnx/data-types.js';
import { makeValueInfo } from '../onnx/value-info.js';
import { emptyCache, tokenFeeds } from '../runtime/decoder-feeds.js';
import { probeTypes } from '../runtime/probe-types.js';
import { openSession, type Feeds, type Session, type SessionOptions } from '../runtime/session.js';
import { float32Tensor, float32Values, int64Tensor } from '../runtime/tensors.js';
import type { LossBatch } from './loss-batch.js';
import { LOSS_INPUTS, LOSS_OUTPUTS, attachLoss } from './loss-head.js';
import { initialValue, stepName, type Granularity, type ScaleKey, type Scales } from './scales.js';

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

interface KeyedGate extends Gate {
  key: ScaleKey;
}

/** Gradients of the loss by the scales, and the loss. Made by `openGradientModel`. */
export class GradientModel {
  readonly #session: Session;
  readonly #gates: readonly KeyedGate[];
  readonly #gradients: ReadonlyMap<string, string>;

  constructor(session: Session, gates: readonly KeyedGate[], gradients: ReadonlyMap<string, string>) {
    this.#session = session;
    this.#gates = gates;
    this.#gradients = gradients;
  }

  /** Keys of all scales that have a gradient, and their sizes. */
  get scaleSizes(): ReadonlyMap<ScaleKey, number> {
    return new Map(this.#gates.map((gate) => [gate.key, gateSize(gate)]));
  }

  async run(
    batch: LossBatch,
    scales: Scales,
  ): Promise<{ loss: number; gradients: Map<ScaleKey, Float32Array> }> {
    const results = await this.#session.run({ ...batch.feeds, ...gateFeeds(this.#gates, scales) });
    const gradients = new Map(
      this.#gates.map((gate) => [gate.key, float32Values(results[this.#gradients.get(gate.name)!]!)]),
    );
    return { loss: float32Values(results[LOSS_OUTPUTS.loss]!)[0]!, gradients };
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
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

  async release(): Promise<void> {
    await this.#session.release();
  }
}

/** @throws UserError if an operator has no gradient rule or onnxruntime cannot load the graph */
export async function openGradientModel(decoder: Decoder, options: LossModelOptions): Promise<GradientModel> {
  const { gated, gates } = gatedDecoder(decoder, options);
  attachLoss(gated, ['loss']);
  const types = await probeTypes(gated.model, [
    probeFeeds(gated, gates, 2, 3),
    probeFeeds(gated, gates, 3, 5),
  ]);
  const leaves = gates.map((gate) => gate.name);
  const gradients = differentiate(gated.graph, { loss: LOSS_OUTPUTS.loss, leaves, types });
  for (const gate of gates) {
    gated.graph.proto.output.push(makeValueInfo(gradients.get(gate.name)!, DataType.FLOAT, gate.shape));
  }
  gated.graph.removeUnused();
  return new GradientModel(await openSession(gated.model, options.session), gates, gradients);
}

/** @throws UserError if onnxruntime cannot load the graph */
export async function openForwardModel(decoder: Decoder, options: LossModelOptions): Promise<ForwardModel> {
  const { gated, gates } = gatedDecoder(decoder, options);
  attachLoss(gated, ['loss', 'tokenLosses', 'predictions', 'logits']);
  return new ForwardModel(await openSession(gated.model, options.session), gates);
}

function gatedDecoder(decoder: Decoder, options: LossModelOptions): { gated: Decoder; gates: KeyedGate[] } {
  const pruned = options.skipped.length > 0 ? deleteBranches(decoder, options.skipped) : decoder;
  const inserted = insertGates(pruned, {
    granularity: options.granularity === 'scalar' ? 'scalar' : 'channel',
  });
  const gates = inserted.gates.map((gate) => ({ ...gate, key: keyOf(decoder, pruned, gate) }));
  return { gated: inserted.decoder, gates };
}

function keyOf(original: Decoder, pruned: Decoder, gate: Gate): ScaleKey {
  if (gate.kind === 'branch') return `branch ${gate.block!}`;
  return `${gate.kind} ${stepName(original, pruned.steps[gate.step]!)}`;
}

function gateSize(gate: Gate): number {
  return gate.shape.reduce<number>((size, dim) => size * (typeof dim === 'number' ? dim : 1), 1);
}

/** A vector gate takes a single number too: it is spread over the channels. */
function gateFeeds(gates: readonly KeyedGate[], scales: Scales): Feeds {
  return Object.fromEntries(
    gates.map((gate) => {
      const size = gateSize(gate);
      const given = scales.get(gate.key);
      const values =
        given?.length === size ? given : new Float32Array(size).fill(given?.[0] ?? initialValue(gate.key));
      return [
        gate.name,
        float32Tensor(
          values,
          gate.shape.map((dim) => (typeof dim === 'number' ? dim : 1)),
        ),
      ];
    }),
  );
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

/** All blocks of a decoder by name, in the order of the stream. */
export function blockNames(decoder: Decoder): BlockName[] {
  return branchesOf(decoder).map(blockName);
}
