/** How far two models' logits for the same tokens are apart: in the logits, in the distributions, in the loss. */
import { klDivergence, logSumExp } from '../evaluate/token-divergences.js';

export interface LogitsComparison {
  /** Logit vectors compared, one a response token. */
  positions: number;
  /** Largest difference of a logit; infinite where one is not a number. */
  largestDifference: number;
  /** Size of the largest logit expected. */
  largestLogit: number;
  /** Root mean square of the expected logits' distance from the mean of their position. */
  spread: number;
  /** Mean KL divergence from the expected distribution, in nats a token. */
  divergence: number;
  /** Mean loss of a token after less that before, in nats. */
  lossChange: number;
  /** Standard error of `lossChange` if the changes of all tokens came about by chance alone. */
  lossError: number;
}

export class LogitsComparer {
  #positions = 0;
  #logits = 0;
  #largestDifference = 0;
  #largestLogit = 0;
  #variance = 0;
  #divergence = 0;
  #lossChange = 0;
  #squaredChange = 0;

  /**
   * @param expected float32 [tokens, vocabulary]
   * @param actual the same of the other model
   * @param labels the token that each row should predict
   */
  add(expected: Float32Array, actual: Float32Array, labels: Int32Array): void {
    const width = expected.length / labels.length;
    labels.forEach((label, token) => {
      const range = [token * width, (token + 1) * width] as const;
      this.#addToken(expected.subarray(...range), actual.subarray(...range), label);
    });
  }

  #addToken(expected: Float32Array, actual: Float32Array, label: number): void {
    let sum = 0;
    for (let index = 0; index < expected.length; index += 1) {
      const logit = expected[index]!;
      const difference = Math.abs(actual[index]! - logit);
      // A comparison with NaN is false.
      if (!(difference <= this.#largestDifference)) {
        this.#largestDifference = Number.isNaN(difference) ? Infinity : difference;
      }
      this.#largestLogit = Math.max(this.#largestLogit, Math.abs(logit));
      sum += logit;
    }
    const mean = sum / expected.length;
    for (const logit of expected) this.#variance += (logit - mean) ** 2;
    const change = logSumExp(actual) - actual[label]! - (logSumExp(expected) - expected[label]!);
    this.#divergence += klDivergence(expected, actual);
    this.#lossChange += change;
    this.#squaredChange += change ** 2;
    this.#positions += 1;
    this.#logits += expected.length;
  }

  get result(): LogitsComparison {
    const count = Math.max(1, this.#positions);
    return {
      positions: this.#positions,
      largestDifference: this.#largestDifference,
      largestLogit: this.#largestLogit,
      spread: Math.sqrt(this.#variance / Math.max(1, this.#logits)),
      divergence: this.#divergence / count,
      lossChange: this.#lossChange / count,
      lossError: Math.sqrt(this.#squaredChange) / count,
    };
  }
}
