/** Text of tokens as they are generated, never half a character. */
import type { ModelTokenizer } from './tokenizer.js';

/** What decoders write for bytes that are no character, or not yet one. */
const replacement = '\uFFFD';

/**
 * Decodes one token after another. The texts given out, joined, are the text of all tokens at once: a character
 * of several tokens is held back until it is complete.
 */
export class StreamingDecoder {
  readonly #tokenizer: ModelTokenizer;
  readonly #skipSpecialTokens: boolean;
  /** The tokens still open and the one before them, since the first token of a text may lose its space. */
  #window: number[] = [];
  /** Characters of the window's text that were given out. */
  #given = 0;

  constructor(tokenizer: ModelTokenizer, options: { skipSpecialTokens?: boolean } = {}) {
    this.#tokenizer = tokenizer;
    this.#skipSpecialTokens = options.skipSpecialTokens ?? true;
  }

  /** The text that this token completes; may be empty. */
  push(id: number): string {
    this.#window.push(id);
    const text = this.#decode(this.#window);
    const open = text.endsWith(replacement);
    const complete = open ? text.slice(0, -1) : text;
    const fresh = complete.slice(this.#given);
    this.#given = Math.max(this.#given, complete.length);
    if (!open) {
      const alone = this.#decode([id]);
      // A token without text of its own (a skipped one) is no context for the next.
      if (alone !== '') {
        this.#window = [id];
        this.#given = alone.length;
      }
    }
    return fresh;
  }

  /** What is still held back, at the end of the text. */
  finish(): string {
    const rest = this.#decode(this.#window).slice(this.#given);
    this.#window = [];
    this.#given = 0;
    return rest;
  }

  #decode(ids: readonly number[]): string {
    return this.#tokenizer.decode(ids, { skipSpecialTokens: this.#skipSpecialTokens });
  }
}
