/** In how many segments a model is run, so that a job stays within a limit of memory. */
import type { JobEvent } from '../../../schema/events.js';
import type { MemoryPlan } from '../../../schema/report.js';
import type { Granularity } from '../../../schema/settings.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { openGradientModel } from '../../loss/open-gradient-model.js';
import { HiddenTargets } from '../../loss/hidden-targets.js';
import { cutStream } from '../../decoder/edit/cut-stream.js';
import type { Decoder } from '../../decoder/decoder.js';
import { describeDecoder } from '../../decoder/describe.js';
import { UserError } from '../../../schema/errors.js';
import { Generator } from '../../generate/generator.js';
import { tensorByteLength } from '../../onnx/graph/tensor.js';
import { formatBytes } from '../../evaluate/figures.js';
import { peakDuring } from '../../runtime/peak-memory.js';
import { SegmentSlot } from '../../runtime/segment-slot.js';
import type { SegmentOptions, RunOptions } from '../../runtime/session.js';

export interface GenerationPlan {
  runOptions: RunOptions;
  /** Prompts that run together, for the sake of their KV cache. */
  batchRows: number;
}

export class MemoryLimitError extends UserError {
  constructor(
    limit: number,
    /** The smallest limit that is enough. */
    readonly leastBytes: number,
  ) {
    super(
      `A memory limit of ${formatBytes(limit)} is too little for this model even with one layer loaded at a time: it takes about ${formatBytes(leastBytes)} at the least (less with fewer rows a batch).`,
    );
  }
}

/** The part of the limit that is planned with; the rest is for results kept and for memory freed but not given back. */
const USABLE = 0.8;

/** The part of the limit that values between segments, and values kept from epoch to epoch, may take each. */
const KEPT = 0.03;

/**
 * Copies of all weights that are in memory at once where sessions stay open. For calibration: packed for products forward
 * and backward; those of the models for held-out losses and for the original's hidden states; one read while loading.
 */
const WEIGHT_COPIES = { answers: 3, calibration: 5 };

/** Prompts that run together at the most: with more of them weights are read less often for each. */
const GENERATION_ROWS = 64;

/** Bytes of a KV cache, which is there twice, up to which rows are added without a limit of memory. */
const GENERATION_CACHE = 5e8;
const LEAST_ROWS = 8;

export class MemoryPlanner {
  /** In bytes; undefined for none. */
  readonly limit: number | undefined;
  readonly #runOptions: RunOptions;
  readonly #onPlan: (plan: MemoryPlan) => void;
  /** The last plan for answers, and the longest row that it is good for. */
  #generation: { plan: GenerationPlan; positions: number } | undefined;

  /** @param limit in bytes; undefined for none: everything is then run whole */
  constructor(
    limit: number | undefined,
    runOptions: RunOptions,
    onPlan: (plan: MemoryPlan) => void = () => {},
  ) {
    this.limit = limit;
    this.#runOptions = limit === undefined ? runOptions : { ...runOptions, sparesMemory: true };
    this.#onPlan = onPlan;
  }

  /**
   * Measures one gradient step of the largest batch, one layer at a time, and plans from that.
   * @throws MemoryLimitError if not even one layer at a time fits; names the smallest limit
   */
  async forCalibration(
    decoder: Decoder,
    batches: readonly LossBatch[],
    training: { granularity: Granularity; distillation: number },
  ): Promise<RunOptions> {
    if (this.limit === undefined) return this.#runOptions;
    // Attention takes rows with their padding, all else each distinct token.
    const size = ({ mask, distinct }: LossBatch) => mask.length + distinct.count;
    const batch = batches.reduce((a, b) => (size(b) > size(a) ? b : a));
    const tryOut = async (runOptions: RunOptions) => {
      const options = { skipped: [], granularity: training.granularity, runOptions };
      const matchHidden = training.distillation > 0;
      const model = await openGradientModel(decoder, { ...options, matchHidden });
      const targets = await HiddenTargets.open({ decoder, runOptions }, training.distillation);
      await model.run(batch, new Map(), await targets.feeds(batch));
      await model.release();
      await targets.release();
    };
    return await this.#plan('calibration', decoder, this.limit, tryOut, 0);
  }

  /**
   * Plans how answers are generated, by a trial of the first token; once for prompts up to a length.
   * @throws MemoryLimitError if not even one layer at a time fits; names the smallest limit
   */
  async forGeneration(
    decoder: Decoder,
    prompts: readonly (readonly number[])[],
    maxNewTokens: number,
  ): Promise<GenerationPlan> {
    const longest = prompts.toSorted((a, b) => b.length - a.length).slice(0, GENERATION_ROWS);
    const positions = (longest[0]?.length ?? 0) + maxNewTokens;
    if (this.limit === undefined || prompts.length === 0) {
      const rows = Math.floor(GENERATION_CACHE / Math.max(1, cacheBytes(decoder) * positions));
      const batchRows = Math.min(GENERATION_ROWS, Math.max(LEAST_ROWS, rows));
      return { runOptions: this.#runOptions, batchRows };
    }
    if (this.#generation && positions <= this.#generation.positions) return this.#generation.plan;
    // The cache before a step, after it, and rows of it that are chosen.
    const rowBytes = 3 * cacheBytes(decoder) * positions;
    const room = (this.limit * USABLE - process.memoryUsage.rss()) / 2;
    const batchRows = Math.max(1, Math.min(longest.length, Math.floor(room / Math.max(1, rowBytes))));
    const tryOut = async (runOptions: RunOptions) => {
      const generator = await Generator.openForBatches(decoder, runOptions);
      const settings = { maxNewTokens: 1, stopTokens: new Set<number>(), batchRows };
      await generator.generate(longest.slice(0, batchRows), settings);
      await generator.release();
    };
    const runOptions = await this.#plan('answers', decoder, this.limit, tryOut, batchRows * rowBytes);
    this.#generation = { plan: { runOptions, batchRows }, positions };
    return this.#generation.plan;
  }

  /**
   * For a few forward passes, without a trial: whole if the limit leaves room for several copies of the weights, or else
   * one layer at a time.
   * @throws MemoryLimitError if not even the largest layer's weights fit
   */
  forPasses(decoder: Decoder): RunOptions {
    if (this.limit === undefined || this.fitsWhole(decoder)) return this.#runOptions;
    requireRoom(this.limit, process.memoryUsage.rss() + Math.max(...layerWeights(decoder)));
    return this.#inSegments(oneLayerEach(decoder), this.limit, true);
  }

  /** Whether the limit leaves room for the model as a whole, by the size of its weights: to measure its speed, say. */
  fitsWhole(decoder: Decoder): boolean {
    if (this.limit === undefined) return true;
    const need = process.memoryUsage.rss() + WEIGHT_COPIES.calibration * sum(layerWeights(decoder));
    return need <= this.limit * USABLE;
  }

  /** @param otherBytes what the work needs beside the segments */
  async #plan(
    work: MemoryPlan['work'],
    decoder: Decoder,
    limitBytes: number,
    tryOut: (runOptions: RunOptions) => Promise<void>,
    otherBytes: number,
  ): Promise<RunOptions> {
    const layers = layerWeights(decoder);
    const beforeBytes = process.memoryUsage.rss();
    const largest = Math.max(...layers);
    requireRoom(limitBytes, beforeBytes + largest + otherBytes);
    const finest = this.#inSegments(oneLayerEach(decoder), limitBytes, true);
    const { peakBytes: trialBytes } = await peakDuring(() => tryOut(finest));
    await finest.segments.slot?.take(undefined);
    requireRoom(limitBytes, trialBytes + otherBytes);
    const activations = Math.max(0, trialBytes - beforeBytes - largest);
    const room = limitBytes * USABLE - beforeBytes - otherBytes;
    const choice = chooseSegments(layers, activations, room, WEIGHT_COPIES[work]);
    const weightBytes = sum(layers);
    const segments = choice === 'whole' ? 1 : choice.firstLayers.length + 1;
    const inTurn = choice !== 'whole' && choice.inTurn;
    this.#onPlan({ work, limitBytes, weightBytes, beforeBytes, trialBytes, segments, inTurn });
    return choice === 'whole'
      ? this.#runOptions
      : this.#inSegments(choice.firstLayers, limitBytes, choice.inTurn);
  }

  #inSegments(
    firstLayers: readonly number[],
    limit: number,
    inTurn: boolean,
  ): RunOptions & { segments: SegmentOptions } {
    const slot = inTurn ? { slot: new SegmentSlot() } : {};
    return { ...this.#runOptions, segments: { firstLayers, keptBytes: limit * KEPT, ...slot } };
  }
}

/**
 * The way of running that is fastest of those that fit: whole; in segments that stay loaded, as few as possible; or in
 * as few as possible that are loaded in turn.
 * @param layers bytes of each layer's weights, embedding and head with the first and the last
 * @param activations bytes that one layer takes beside its weights
 * @param room bytes that may be used
 * @param copies of the weights that are in memory where all stay loaded
 */
export function chooseSegments(
  layers: readonly number[],
  activations: number,
  room: number,
  copies: number,
): 'whole' | { firstLayers: number[]; inTurn: boolean } {
  const resident = copies * sum(layers);
  if (resident + layers.length * activations <= room) return 'whole';
  // One copy more, for the forward part of the gradient.
  const forActivations = room - resident - sum(layers);
  if (activations > 0 && forActivations >= activations) {
    const inEach = layers.map(() => activations);
    return { firstLayers: packLayers(inEach, forActivations), inTurn: false };
  }
  const needs = layers.map((weights) => weights + activations);
  return { firstLayers: packLayers(needs, room), inTurn: true };
}

/** First layers of as few segments as possible, each within the room if its layers' needs allow it. */
function packLayers(needs: readonly number[], room: number): number[] {
  const firstLayers: number[] = [];
  let used = 0;
  for (const [layer, need] of needs.entries()) {
    if (layer > 0 && used + need > room) {
      firstLayers.push(layer);
      used = 0;
    }
    used += need;
  }
  return firstLayers;
}

/** @throws MemoryLimitError that names the smallest limit if the need is beyond this one */
function requireRoom(limit: number, need: number): void {
  if (need <= limit * USABLE) return;
  // With some more, so that the limit that is named is enough the next time, too.
  throw new MemoryLimitError(limit, Math.ceil((1.05 * need) / USABLE / 1e7) * 1e7);
}

/** Bytes of the weights of each layer, those of the embedding with the first, of the head with the last. */
function layerWeights(decoder: Decoder): number[] {
  return cutStream(decoder, oneLayerEach(decoder)).map(({ model }) =>
    sum(model.graph.initializer.map(tensorByteLength)),
  );
}

function oneLayerEach(decoder: Decoder): number[] {
  return Array.from({ length: decoder.layerCount - 1 }, (_, index) => index + 1);
}

function cacheBytes(decoder: Decoder): number {
  return sum(describeDecoder(decoder).blocks.map((block) => block.cacheBytesPerToken ?? 0));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Why speed is not measured within this limit. */
export function speedNeedsWhole(limit: number): string {
  return `Speed is that of the whole model in memory, which the limit of ${formatBytes(limit)} does not let it be: it is not measured.`;
}

/** 'calibration in 8 segments, one loaded at a time'. */
export function planWay({ segments, inTurn, work }: MemoryPlan): string {
  if (segments > 1)
    return `${work} in ${segments} segments, ${inTurn ? 'one loaded at a time' : 'all loaded'}`;
  return `${work} with the model whole${inTurn ? ', one model loaded at a time' : ''}`;
}

/** What a plan was made from. */
function planReason({ trialBytes, beforeBytes, weightBytes, limitBytes }: MemoryPlan): string {
  return `the limit is ${formatBytes(limitBytes)}, the weights are ${formatBytes(weightBytes)}; a trial of one layer at a time took ${formatBytes(trialBytes)}, of which ${formatBytes(beforeBytes)} were in use before`;
}

/** A plan as an event: in words, with its reason. */
export function planEvent(plan: MemoryPlan): JobEvent {
  return { type: 'memory', plan, way: planWay(plan), why: planReason(plan) };
}
