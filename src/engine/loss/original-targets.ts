/** The original's distributions for the rows of a task, found once and given to every batch that holds the rows. */
import { targetFeeds, type TokenTargets } from './divergence.js';
import type { ForwardModel } from './forward-model.js';
import type { LossBatch, LossRow } from './loss-batch.js';

export class OriginalTargets {
  readonly #byRow = new Map<LossRow, TokenTargets>();

  /** Takes in the rows of batches, in the order of which the results come. */
  async learn(
    original: ForwardModel,
    batches: readonly LossBatch[],
    onBatch: () => void = () => {},
  ): Promise<void> {
    let index = 0;
    for await (const targets of original.topTokensEach(batches)) {
      this.keep(batches[index]!, targets);
      index += 1;
      onBatch();
    }
  }

  /** @throws RangeError if a row of the batch was not learnt */
  addTo(batch: LossBatch): void {
    const parts = batch.source.map((row) => {
      const targets = this.#byRow.get(row);
      if (!targets) throw new RangeError("A row without the original's distributions");
      return targets;
    });
    const size = parts.reduce((sum, { tokens }) => sum + tokens.length, 0);
    const tokens = new Int32Array(size);
    const logProbabilities = new Float32Array(size);
    let offset = 0;
    for (const part of parts) {
      tokens.set(part.tokens, offset);
      logProbabilities.set(part.logProbabilities, offset);
      offset += part.tokens.length;
    }
    batch.targets = targetFeeds({ tokens, logProbabilities, kept: parts[0]!.kept });
  }

  /** Takes in the rows of a batch whose results are there. */
  keep({ source, rowOfToken }: LossBatch, { tokens, logProbabilities, kept }: TokenTargets): void {
    let first = 0;
    source.forEach((row, index) => {
      let end = first;
      while (rowOfToken[end] === index) end += 1;
      this.#byRow.set(row, {
        tokens: tokens.slice(first * kept, end * kept),
        logProbabilities: logProbabilities.slice(first * kept, end * kept),
        kept,
      });
      first = end;
    });
  }
}
