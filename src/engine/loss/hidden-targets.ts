/** The original's hidden states that training is pulled towards, computed once where they fit in memory. */
import type { Decoder } from '../decoder/decoder.js';
import type { Feeds, RunOptions } from '../runtime/session.js';
import { openForwardModel, type ForwardModel } from './forward-model.js';
import { hiddenMatchFeeds } from './hidden-match.js';
import type { LossBatch } from './loss-batch.js';

/** Bytes of hidden states that are kept where memory is not limited; what is over is computed again in each epoch. */
const KEPT_BYTES = 256e6;

export class HiddenTargets {
  readonly #model: ForwardModel | undefined;
  readonly #weight: number;
  readonly #kept = new Map<LossBatch, Feeds>();
  readonly #keptBytes: number;
  #bytes = 0;

  private constructor(model: ForwardModel | undefined, weight: number, keptBytes: number) {
    this.#model = model;
    this.#weight = weight;
    this.#keptBytes = keptBytes;
  }

  /** @param weight of the distance beside the loss; 0 gives targets that ask for nothing */
  static async open(
    context: { decoder: Decoder; runOptions: RunOptions | undefined },
    weight: number,
  ): Promise<HiddenTargets> {
    if (weight === 0) return new HiddenTargets(undefined, 0, 0);
    const model = await openForwardModel(context.decoder, {
      skipped: [],
      granularity: 'scalar',
      runOptions: context.runOptions,
    });
    return new HiddenTargets(model, weight, context.runOptions?.segments?.keptBytes ?? KEPT_BYTES);
  }

  /** Feeds of a gradient model opened with `matchHidden`; empty for weight 0. */
  async feeds(batch: LossBatch): Promise<Feeds> {
    if (!this.#model) return {};
    const kept = this.#kept.get(batch);
    if (kept) return kept;
    const hidden = await this.#model.hidden(batch, new Map());
    const feeds = hiddenMatchFeeds(batch, hidden, this.#weight);
    if (this.#bytes + hidden.byteLength <= this.#keptBytes) {
      this.#bytes += hidden.byteLength;
      this.#kept.set(batch, feeds);
    }
    return feeds;
  }

  async release(): Promise<void> {
    await this.#model?.release();
  }
}
