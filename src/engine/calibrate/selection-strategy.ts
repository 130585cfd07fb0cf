/** How the next block to skip is found: the contract of selection strategies. */
import type { BlockName, Decoder } from '../decoder/decoder.js';
import type { SessionOptions } from '../runtime/session.js';
import type { SelectionRound } from './checkpoint.js';
import type { LossBatch } from './loss-batch.js';

export interface SelectionContext {
  decoder: Decoder;
  /** Calibration rows, in the order in which they are trained on. */
  batches: readonly LossBatch[];
  /** For strategies that draw lots. */
  seed: number;
  /** Learning rate of Adam for the scales of a candidate. */
  learningRate: number;
  session: SessionOptions | undefined;
  signal: AbortSignal | undefined;
  /** Called when a candidate's training begins. */
  onCandidate(block: BlockName): void;
  /** Called after each gradient step. */
  onStep(): void;
  /** Keeps a candidate's loss in the checkpoint. */
  recordLoss(block: BlockName, loss: number): void;
}

export interface SelectionStrategy {
  name: string;
  /** One sentence for help texts. */
  description: string;
  /** Gradient steps that one round takes, for estimates. */
  stepsPerRound(candidates: number, batches: number): number;
  /**
   * The block to skip next.
   * @param skipped blocks skipped already, in the order in which they were chosen
   * @param candidates blocks that may be skipped, in the order of the stream
   * @param round losses of candidates that were tried before an interruption
   * @throws CancelledError if the job is stopped
   */
  chooseBlock(
    context: SelectionContext,
    skipped: readonly BlockName[],
    candidates: readonly BlockName[],
    round: SelectionRound,
  ): Promise<BlockName>;
}
