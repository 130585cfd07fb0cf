/** A row of a dataset as token ids: to train and measure on, or to generate from. */

export interface EncodedRow {
  line: number;
  /** Prompt and response, with the token that ends the response. */
  ids: number[];
  /** Index of the first response token, at least 1; loss is counted from there on. */
  responseStart: number;
}

/** What a model can read of a row, whatever is asked for. */
export interface ReadableRows {
  /** Tokens at the most; absent where the model has no such end. */
  contextLength?: number | undefined;
  /** Token ids from there on have no row in the embedding. */
  embeddingRows: number;
}

export interface EncodedPrompt {
  line: number;
  /** All that the model reads before it answers. */
  ids: number[];
}
