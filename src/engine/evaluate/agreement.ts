/** How a model's predictions of response tokens stand to the original's, token by token. */
import type { TokenAgreement } from '../../schema/report.js';
import type { TokenResults } from '../loss/forward-model.js';
import type { LossBatch } from '../loss/loss-batch.js';
import { clampShare, tokenMeanEstimate } from './intervals.js';

export class AgreementCounter {
  /** Sums over the tokens of each row. */
  readonly #same: number[] = [];
  readonly #onlyOriginal: number[] = [];
  readonly #onlySlimmed: number[] = [];
  readonly #rise: number[] = [];
  readonly #counts: number[] = [];
  readonly #divergences: number[] = [];

  /** @param divergences one entry a response token, in nats */
  add(batch: LossBatch, original: TokenResults, slimmed: TokenResults, divergences: Float64Array): void {
    const offset = this.#counts.length;
    for (const sums of [this.#same, this.#onlyOriginal, this.#onlySlimmed, this.#rise, this.#counts]) {
      sums.push(...Array.from({ length: batch.rows }, () => 0));
    }
    for (const [token, row] of batch.rowOfToken.entries()) {
      const label = batch.labels[token];
      const before = original.predictions[token];
      const after = slimmed.predictions[token];
      this.#same[offset + row]! += Number(before === after);
      this.#onlyOriginal[offset + row]! += Number(before === label && after !== label);
      this.#onlySlimmed[offset + row]! += Number(before !== label && after === label);
      this.#rise[offset + row]! += slimmed.tokenLosses[token]! - original.tokenLosses[token]!;
      this.#counts[offset + row]! += 1;
      this.#divergences.push(divergences[token]!);
    }
  }

  result(): TokenAgreement {
    const share = (sums: readonly number[]) => clampShare(tokenMeanEstimate(sums, this.#counts));
    const rise = tokenMeanEstimate(this.#rise, this.#counts);
    const ordered = this.#divergences.toSorted((a, b) => a - b);
    return {
      sameTopToken: share(this.#same),
      onlyOriginal: share(this.#onlyOriginal),
      onlySlimmed: share(this.#onlySlimmed),
      perplexityRatio: { value: Math.exp(rise.value), low: Math.exp(rise.low), high: Math.exp(rise.high) },
      divergence99: ordered[Math.ceil(0.99 * ordered.length) - 1]!,
      divergenceMax: ordered.at(-1)!,
    };
  }
}
