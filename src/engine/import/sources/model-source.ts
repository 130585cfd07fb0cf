/** A model in another format, opened: what it is, its weights, and what it says about text. */
import type { DecoderFacts } from '../families/decoder-facts.js';
import type { ModelWeights } from '../weights/model-weights.js';

export interface ModelSource {
  /** What was opened, as the user called it. */
  place: string;
  /** For people, and for the folder's name. */
  name: string;
  facts: DecoderFacts;
  weights: ModelWeights;
  /** Files that the weights are in, and their bytes. */
  files: readonly string[];
  bytes: number;
  /** config.json of the imported model. */
  config: Record<string, unknown>;
  generationConfig: Record<string, unknown>;
  /** Writes the files that say how text becomes tokens. */
  writeTokenizer(folder: string): void;
  close(): void;
}

/** Ids of the tokens that begin, end and fill texts, as far as the file has them. */
export interface SpecialIds {
  bos?: number;
  eos: readonly number[];
  pad?: number;
}
