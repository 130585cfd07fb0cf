/** What the loss comes to with blocks left out, on the same few rows for all of them, from forward passes alone. */
import type { BlockName } from '../../../schema/blocks.js';
import { throwIfCancelled } from '../../../schema/errors.js';
import type { Decoder } from '../../decoder/decoder.js';
import { copyScales, type ScaleKey, type Scales } from '../../decoder/scales.js';
import { openForwardModel, type ForwardModel } from '../../loss/forward-model.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { switchOff } from './off-blocks.js';
import { finite, type RoundContext, type SelectionContext } from './selection-strategy.js';

/** Judged rows as a share of all calibration rows, for estimates. */
export const JUDGED_SHARE = 0.1;

export class SkipLosses {
  readonly #model: ForwardModel;
  readonly #context: SelectionContext;

  private constructor(model: ForwardModel, context: SelectionContext) {
    this.#model = model;
    this.#context = context;
  }

  /** Layer by layer, so that what lies below the first block that is left out is computed once for all. */
  static async open(context: SelectionContext): Promise<SkipLosses> {
    const { decoder, granularity, loss, runOptions } = context;
    const model = await openForwardModel(decoder, {
      skipped: [],
      granularity,
      loss,
      runOptions: runOptions?.segments
        ? runOptions
        : { ...runOptions, segments: { firstLayers: laterLayers(decoder), keptBytes: 0 } },
    });
    return new SkipLosses(model, context);
  }

  /** Keys of all scales, and their sizes. */
  get scaleSizes(): ReadonlyMap<ScaleKey, number> {
    return this.#model.scaleSizes;
  }

  /** Mean loss over the batches' response tokens; default: the judged rows. */
  async of(scales: Scales, batches = this.#context.trialRows.judged): Promise<number> {
    const [sum] = await this.#sums([scales], batches, 1, () => {});
    return sum! / tokensIn(batches);
  }

  /**
   * The loss on the judged rows with each of the blocks off beside those that the scales leave off already.
   * @param goOn how many of them the later half of the rows is spent on, those that are lowest on the earlier one; the others
   *   are given by the earlier half alone. Default: all.
   * @returns finite losses, the lowest first; those that did not go on behind the others
   */
  async without(
    scales: Scales,
    blocks: readonly BlockName[],
    onCandidate: RoundContext['onCandidate'],
    goOn = blocks.length,
  ): Promise<Map<BlockName, number>> {
    const { judged } = this.#context.trialRows;
    const isCut = goOn < blocks.length && judged.length > 1;
    const border = isCut ? Math.ceil(judged.length / 2) : judged.length;
    const [earlier, later] = [judged.slice(0, border), judged.slice(border)];
    const done = earlier.length * blocks.length;
    const tries = done + later.length * goOn;
    const sums = await this.#sumsWithout(scales, blocks, earlier, (block, index) =>
      onCandidate(block, { index, tries }),
    );
    const ranked = byLoss(blocks, sums, tokensIn(earlier));
    if (!isCut) return ranked;
    const lowest = [...ranked.keys()].slice(0, goOn);
    const further = await this.#sumsWithout(scales, lowest, later, (block, index) =>
      onCandidate(block, { index: done + index, tries }),
    );
    for (const [block, sum] of further) sums.set(block, sums.get(block)! + sum);
    const others = [...ranked].filter(([block]) => !further.has(block));
    return new Map([...byLoss(lowest, sums, tokensIn(judged)), ...others]);
  }

  /** Of the response tokens' losses. */
  async #sumsWithout(
    scales: Scales,
    blocks: readonly BlockName[],
    rows: readonly LossBatch[],
    onTry: (block: BlockName, index: number) => void,
  ): Promise<Map<BlockName, number>> {
    const order = blocks.toSorted((a, b) => layerOf(b) - layerOf(a));
    const tried = order.map((block) => {
      const own = copyScales(scales);
      switchOff(this.#context.decoder, own, block);
      return own;
    });
    // About half of the layers lie below the block.
    const sums = await this.#sums(tried, rows, 0.5, (index) => onTry(order[index % order.length]!, index));
    return new Map(order.map((block, index) => [block, sums[index]!]));
  }

  async release(): Promise<void> {
    await this.#model.release();
  }

  /**
   * Of the response tokens' losses.
   * @param share of the layers that a run computes
   * @param onRun called before each run, all scales on the first rows, then on the next
   */
  async #sums(
    all: readonly Scales[],
    rows: readonly LossBatch[],
    share: number,
    onRun: (index: number) => void,
  ): Promise<number[]> {
    const totals = all.map(() => 0);
    const { signal, onWork, batches } = this.#context;
    const usual = batches.reduce((sum, { mask }) => sum + mask.length, 0) / batches.length;
    for (const [place, batch] of rows.entries()) {
      let index = 0;
      onRun(place * all.length);
      for await (const { loss } of this.#model.runEach(all.map((scales) => ({ batch, scales })))) {
        throwIfCancelled(signal);
        totals[index]! += loss * batch.labels.length;
        index += 1;
        onWork((share * batch.mask.length) / usual);
        if (index < all.length) onRun(place * all.length + index);
      }
    }
    return totals;
  }
}

function tokensIn(rows: readonly LossBatch[]): number {
  return rows.reduce((sum, { labels }) => sum + labels.length, 0);
}

/** Mean losses, the lowest first. */
function byLoss(
  blocks: readonly BlockName[],
  sums: ReadonlyMap<BlockName, number>,
  tokens: number,
): Map<BlockName, number> {
  const losses = blocks.map((block) => [block, finite(sums.get(block)! / tokens)] as const);
  return new Map(losses.toSorted(([, a], [, b]) => a - b));
}

function laterLayers({ layerCount }: Decoder): number[] {
  return Array.from({ length: layerCount - 1 }, (_, index) => index + 1);
}

function layerOf(block: BlockName): number {
  return Number(block.split(' ')[1]);
}
