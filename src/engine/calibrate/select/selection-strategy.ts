/** How the next block to skip is found: the contract of selection strategies. */
import type { Granularity, LossKind, StrategyName } from '../../../schema/settings.js';
import type { RoundState } from '../checkpoint.js';
import type { BlockKind, BlockName } from '../../../schema/blocks.js';
import type { Decoder } from '../../decoder/decoder.js';
import { UserError } from '../../../schema/errors.js';
import type { Scales } from '../../decoder/scales.js';
import type { RunOptions } from '../../runtime/session.js';
import type { LossBatch } from '../../loss/loss-batch.js';

export interface SelectionContext {
  decoder: Decoder;
  /** Calibration rows, in the order in which they are trained on. */
  batches: readonly LossBatch[];
  /** The calibration rows once more, in small batches, for strategies that look at a few rows at a time. */
  smallBatches: readonly LossBatch[];
  /** How fine the scales of candidates are, where a strategy does not fix it; without offsets. */
  granularity: Granularity;
  /** What is to stay low; batches for a divergence have targets. */
  loss: LossKind;
  /** Scales with which the search begins; absent: all where they start. */
  start: Scales | undefined;
  /** A part of the calibration rows, for trials of choices. */
  trialRows: TrialRows;
  /** For strategies that draw lots. */
  seed: number;
  /** Learning rate of Adam for the scales of a candidate. */
  learningRate: number;
  runOptions: RunOptions | undefined;
  signal: AbortSignal | undefined;
  /** Called after each piece of work, with its cost in forward passes of one batch of `batches`. */
  onWork(forwardPasses: number): void;
}

/** Calibration rows for trials; none of `validation` is in the others. */
export interface TrialRows {
  /** A few rows on which blocks are judged alone. */
  judged: readonly LossBatch[];
  /** In the batches of the final training: half of a pass over the rows. */
  training: readonly LossBatch[];
  /** Rows on which trained choices are judged. */
  validation: readonly LossBatch[];
}

/** What a strategy is opened with. */
export interface SearchContext extends SelectionContext {
  kinds: readonly BlockKind[];
  /** For how many skipped blocks choices are held against each other. */
  contested: number;
}

/** One round: one more block is to be skipped. */
export interface RoundContext {
  /** Blocks skipped already, in the order in which they were chosen. */
  skipped: readonly BlockName[];
  /** Blocks that may be skipped, in the order of the stream. */
  candidates: readonly BlockName[];
  /** What the checkpoint holds of this round: losses of candidates that were tried before an interruption. */
  round: RoundState;
  /** What the checkpoint holds of the rounds before, in their order. */
  earlier: readonly RoundState[];
  /** Called when a candidate's turn comes. */
  onCandidate(block: BlockName, look: Look): void;
  /** Called when the turn of a choice of several blocks comes. */
  onChoice(blocks: readonly BlockName[], index: number, choices: number): void;
  /**
   * Keeps a candidate's loss in the checkpoint.
   * @param rise how much the loss alone is above the original's on the same rows, where `loss` holds more than that
   */
  recordLoss(block: BlockName, loss: number, rise?: number): void;
  /** Keeps in the checkpoint what was put into `round`. */
  keep(): void;
}

/** Where a try stands among those of one look at the blocks. */
export interface Look {
  /** From 0. */
  index: number;
  tries: number;
  /** Blocks that are left out in all of them; default: those skipped already. */
  off?: number;
}

/** A search that goes on from round to round. */
export interface BlockSelector {
  /**
   * The block to skip next.
   * @throws CancelledError if the job is stopped
   */
  chooseBlock(round: RoundContext): Promise<BlockName>;
  release(): Promise<void>;
}

/** What the cost of a round depends on. */
export interface RoundSize {
  candidates: number;
  batches: number;
  /** Rows of a small batch as a share of a batch's. */
  smallBatchShare: number;
  /** For how many skipped blocks choices are held against each other. */
  contested: number;
  loss: LossKind;
}

export interface SelectionStrategy {
  name: StrategyName;
  /** One sentence for help texts. */
  description: string;
  /**
   * Cost of one round in forward passes of one batch, for estimates; a gradient step counts as three.
   * @param round number of the round, from 0
   */
  costOfRound(size: RoundSize, round: number): number;
  open(context: SearchContext): Promise<BlockSelector>;
}

/** @returns rows of a small batch as a share of a batch's */
export function smallBatchShare(batches: readonly LossBatch[], smallBatches: readonly LossBatch[]): number {
  // The largest of them: the last rows may make a batch of fewer.
  const rowsOf = (some: readonly LossBatch[]) => Math.max(1, ...some.map(({ rows }) => rows));
  return rowsOf(smallBatches) / rowsOf(batches);
}

/** A gradient step costs about as much as this many forward passes: weights need no gradient. */
export const GRADIENT_STEP_COST = 3;

/** The loss of a candidate that came to no number, in a form that JSON can hold: larger than any other. */
export const DIVERGED = Number.MAX_VALUE;

export function finite(loss: number): number {
  return Number.isFinite(loss) ? loss : DIVERGED;
}

/** @throws UserError if even the best candidate's loss is no number */
export function requireConverged(lowestLoss: number): void {
  if (lowestLoss < DIVERGED) return;
  throw new UserError(
    'The loss is not a number whichever block is skipped; try a smaller learning rate for choosing blocks.',
    { inCommands: '--selection-learning-rate' },
  );
}
