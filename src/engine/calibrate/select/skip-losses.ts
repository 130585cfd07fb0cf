/** What the loss comes to with blocks left out, on the same few rows for all of them, from forward passes alone. */
import type { BlockName } from '../../../schema/blocks.js';
import { throwIfCancelled } from '../../../schema/errors.js';
import type { Decoder } from '../../decoder/decoder.js';
import { copyScales, type ScaleKey, type Scales } from '../../decoder/scales.js';
import { openForwardModel, type ForwardModel } from '../../loss/forward-model.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { switchOff } from './off-blocks.js';
import type { RoundContext, SelectionContext } from './selection-strategy.js';

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
    const [loss] = await this.#each([scales], batches, 1, () => {});
    return loss!;
  }

  /** The loss on the judged rows with each of the blocks off beside those that the scales leave off already. */
  async without(
    scales: Scales,
    blocks: readonly BlockName[],
    onCandidate: RoundContext['onCandidate'],
  ): Promise<Map<BlockName, number>> {
    const order = blocks.toSorted((a, b) => layerOf(b) - layerOf(a));
    const tried = order.map((block) => {
      const own = copyScales(scales);
      switchOff(this.#context.decoder, own, block);
      return own;
    });
    const { judged } = this.#context.trialRows;
    const tries = judged.length * order.length;
    // About half of the layers lie below the block.
    const losses = await this.#each(tried, judged, 0.5, (index) =>
      onCandidate(order[index % order.length]!, { index, tries }),
    );
    return new Map(order.map((block, index) => [block, losses[index]!]));
  }

  async release(): Promise<void> {
    await this.#model.release();
  }

  /**
   * @param share of the layers that a run computes
   * @param onRun called before each run, all scales on the first rows, then on the next
   */
  async #each(
    all: readonly Scales[],
    rows: readonly LossBatch[],
    share: number,
    onRun: (index: number) => void,
  ): Promise<number[]> {
    const totals = all.map(() => 0);
    let tokens = 0;
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
      tokens += batch.labels.length;
    }
    return totals.map((total) => total / tokens);
  }
}

function laterLayers({ layerCount }: Decoder): number[] {
  return Array.from({ length: layerCount - 1 }, (_, index) => index + 1);
}

function layerOf(block: BlockName): number {
  return Number(block.split(' ')[1]);
}
