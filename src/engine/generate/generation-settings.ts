/** How text is generated, and what comes of it. */
import type { SamplingSettings } from './sampling.js';

export interface GenerationSettings {
  maxNewTokens: number;
  stopTokens: ReadonlySet<number>;
  /** Default: greedy. */
  sampling?: SamplingSettings;
  /** Prompts that run together; default: what the generator was opened with. */
  batchRows?: number;
  signal?: AbortSignal;
  /** Tokens that are read at once of a prompt that runs alone, with a KV cache; the signal is heeded between. Default: all. */
  promptChunk?: number;
  /** Waited for before each step: lets more urgent work go first. */
  giveWay?: () => Promise<void>;
  /** Called for each token as it comes, the stop token excepted. */
  onToken?: (prompt: number, token: number) => void;
  /**
   * Called after each run with what the last layer gave for tokens of a prompt and its answer, from a position on, where the
   * generator was opened for that: float32 [tokens, hidden size]. What it gives for a position again counts.
   */
  onStream?: (prompt: number, position: number, stream: Float32Array) => void;
  /** Called at the beginning and after each step with how many prompts are answered, those in the making as shares. */
  onProgress?: (answered: number) => void;
}

export interface GeneratedText {
  /** The new tokens, the stop token included if it came. */
  tokens: number[];
  finishedBy: 'stop' | 'length';
}

export interface GenerationTiming {
  promptTokens: number;
  promptSeconds: number;
  newTokens: number;
  newSeconds: number;
}
