/** What a model's last layer gives while it answers: its distributions come of that through the head alone. */
import { mostPromptTokens } from '../../data/learnt-rows.js';
import type { EncodedRow } from '../../data/encoded-row.js';
import { KEPT_BYTES, KeptStream } from '../../loss/kept-stream.js';

export class AnswerStreams {
  readonly #prompts: readonly EncodedRow[];
  /** Tokens at the end of a prompt that may be learnt from. */
  readonly #before: number;
  /** By prompt, then by position. */
  readonly #byPrompt = new Map<number, Map<number, Float32Array>>();
  readonly #width: number;
  /** Bytes that may still be kept; answers beyond are not. */
  #room = KEPT_BYTES;

  /**
   * @param prompts rows without their responses
   * @param width of the stream
   */
  constructor(prompts: readonly EncodedRow[], maxNewTokens: number, width: number) {
    this.#prompts = prompts;
    this.#width = width;
    this.#before = mostPromptTokens(maxNewTokens);
  }

  /** @param stream float32 [tokens, width], from a position on; what comes for a position again counts */
  take(prompt: number, position: number, stream: Float32Array): void {
    const width = this.#width;
    const first = this.#prompts[prompt]!.ids.length - 1 - this.#before;
    let own = this.#byPrompt.get(prompt);
    if (!own) this.#byPrompt.set(prompt, (own = new Map()));
    for (let at = Math.max(first, position); at < position + stream.length / width; at += 1) {
      if (this.#room <= 0) return;
      const start = (at - position) * width;
      const values = stream.slice(start, start + width);
      if (!own.has(at)) this.#room -= values.byteLength;
      own.set(at, values);
    }
  }

  /**
   * Forgets what it has taken in.
   * @param rows the prompts with their responses, in the order of the prompts
   * @returns of the rows whose whole response it has
   */
  keptFor(rows: readonly EncodedRow[]): KeptStream {
    const kept = new KeptStream();
    for (const [prompt, { ids, responseStart }] of rows.entries()) {
      const own = this.#byPrompt.get(prompt);
      const response = ids.length - responseStart;
      const stream: Float32Array[] = [];
      // A row's last token is only predicted.
      for (let at = ids.length - 2; stream.length < response + mostPromptTokens(response); at -= 1) {
        const values = own?.get(at);
        if (!values) break;
        stream.unshift(values);
      }
      if (stream.length >= response) kept.keepRow(ids, stream);
      this.#byPrompt.delete(prompt);
    }
    return kept;
  }
}
