/** How long new tokens take with a model, as a share of another's: one text alone, with the KV cache. */
import type { Decoder } from '../../decoder/decoder.js';
import { Generator } from '../../generate/generator.js';
import type { RunOptions } from '../../runtime/session.js';

/** Both models answer in turn, so that what else the machine does meets both; the first round warms up. */
const ROUNDS = 6;
const NEW_TOKENS = 12;
const PROMPT = Array.from({ length: 16 }, (_, token) => token + 1);

export class TokenTimes {
  readonly #original: Generator;
  readonly #runOptions: RunOptions;
  readonly #signal: AbortSignal | undefined;

  private constructor(original: Generator, runOptions: RunOptions, signal: AbortSignal | undefined) {
    this.#original = original;
    this.#runOptions = runOptions;
    this.#signal = signal;
  }

  /** @throws UserError if onnxruntime cannot load the model */
  static async open(
    original: Decoder,
    runOptions: RunOptions,
    signal: AbortSignal | undefined,
  ): Promise<TokenTimes> {
    return new TokenTimes(await Generator.open(original, runOptions, 1), runOptions, signal);
  }

  /** @returns the median over rounds of the time of a new token, as a share of the original's */
  async shareOf(decoder: Decoder): Promise<number> {
    const generator = await Generator.open(decoder, this.#runOptions, 1);
    try {
      const shares: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const own = await this.#seconds(generator, decoder.vocabularySize);
        shares.push(own / (await this.#seconds(this.#original, decoder.vocabularySize)));
      }
      const measured = shares.slice(1).toSorted((a, b) => a - b);
      return measured[measured.length >> 1]!;
    } finally {
      await generator.release();
    }
  }

  async release(): Promise<void> {
    await this.#original.release();
  }

  async #seconds(generator: Generator, vocabularySize: number): Promise<number> {
    const before = generator.timing.newSeconds;
    const prompt = PROMPT.map((token) => token % vocabularySize);
    const settings = { maxNewTokens: NEW_TOKENS, stopTokens: new Set<number>(), signal: this.#signal };
    await generator.generate([prompt], settings);
    return generator.timing.newSeconds - before;
  }
}
