/** The original's distributions for the rows of a task, found once and given to every batch that holds the rows. */
import { targetFeeds, type TokenTargets } from './divergence.js';
import type { Feeds } from '../runtime/session.js';
import type { Scales } from '../decoder/scales.js';
import type { ForwardModel } from './forward-model.js';
import type { KeptStream } from './kept-stream.js';
import type { LossBatch, LossRow } from './loss-batch.js';

export class OriginalTargets {
  /** By the rows' token ids: the same row may be in batches with less of it to learn from. */
  readonly #byRow = new Map<LossRow['ids'], TokenTargets>();
  /** Feeds take more memory than what they are made of, and a batch is often run several times in turn. */
  #latest: { batch: LossBatch; feeds: Feeds } | undefined;

  /**
   * Takes in the rows of batches.
   * @param options.scales of the model that is held to be the original; default: where all start
   * @param options.kept what its last layer gives, for the rows of which that is known: these go through the head alone
   * @param options.onBatch called after each batch
   */
  async learn(
    original: ForwardModel,
    batches: readonly LossBatch[],
    { scales = new Map(), kept, onBatch }: { scales?: Scales; kept?: KeptStream; onBatch?: () => void } = {},
  ): Promise<void> {
    const others: LossBatch[] = [];
    for (const batch of batches) {
      const stream = kept?.of(batch);
      if (!stream) {
        others.push(batch);
        continue;
      }
      const { targets } = await original.runHeadWithTargets({ batch, scales }, stream);
      this.keep(batch, targets);
      onBatch?.();
    }
    let index = 0;
    for await (const targets of original.topTokensEach(others, scales)) {
      this.keep(others[index]!, targets);
      index += 1;
      onBatch?.();
    }
  }

  /** @throws RangeError if a row of the batch was not learnt, or from fewer of its last tokens than the batch has */
  addTo(batch: LossBatch): void {
    this.#partsOf(batch);
    batch.targets = () => {
      if (this.#latest?.batch !== batch)
        this.#latest = { batch, feeds: targetFeeds(joined(this.#partsOf(batch))) };
      return this.#latest.feeds;
    };
  }

  #partsOf(batch: LossBatch): TokenTargets[] {
    const counts = tokenCounts(batch);
    return batch.source.map(({ ids }, index) => {
      const targets = this.#byRow.get(ids);
      if (!targets || targets.tokens.length < counts[index]! * targets.kept)
        throw new RangeError("A row without the original's distributions");
      const first = targets.tokens.length - counts[index]! * targets.kept;
      return {
        ...targets,
        tokens: targets.tokens.subarray(first),
        logProbabilities: targets.logProbabilities.subarray(first),
      };
    });
  }

  /** Takes in the rows of a batch whose results are there. */
  keep(batch: LossBatch, { tokens, logProbabilities, kept }: TokenTargets): void {
    const counts = tokenCounts(batch);
    let first = 0;
    batch.source.forEach(({ ids }, index) => {
      const end = first + counts[index]!;
      this.#byRow.set(ids, {
        tokens: tokens.slice(first * kept, end * kept),
        logProbabilities: logProbabilities.slice(first * kept, end * kept),
        kept,
      });
      first = end;
    });
  }
}

function joined(parts: readonly TokenTargets[]): TokenTargets {
  const size = parts.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const tokens = new Int32Array(size);
  const logProbabilities = new Float32Array(size);
  let offset = 0;
  for (const part of parts) {
    tokens.set(part.tokens, offset);
    logProbabilities.set(part.logProbabilities, offset);
    offset += part.tokens.length;
  }
  return { tokens, logProbabilities, kept: parts[0]!.kept };
}

/** How many tokens of each row carry loss: its last ones. */
function tokenCounts({ source, rowOfToken }: LossBatch): number[] {
  const counts = source.map(() => 0);
  for (const row of rowOfToken) counts[row]! += 1;
  return counts;
}
