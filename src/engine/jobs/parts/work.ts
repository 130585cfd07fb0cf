/** How much work a calibration is, in forward passes of one batch: for progress and for estimates alike. */
import { isCut } from '../../../schema/cuts.js';
import type { JobSettings, LossKind } from '../../../schema/settings.js';
import type { CheckpointState } from '../../calibrate/checkpoint.js';
import { candidateBlocks } from '../../calibrate/select/candidates.js';
import { contestedBlocks, selectionStrategy } from '../../calibrate/select/select-blocks.js';
import { GRADIENT_STEP_COST } from '../../calibrate/select/selection-strategy.js';
import type { Decoder } from '../../decoder/decoder.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { budgetInBlocks } from './budget.js';
import { blockKinds, trainingSettings } from './settings.js';

export interface WorkSize {
  /** Rounds of the selection. */
  rounds: number;
  /** Batches of the calibration rows. */
  batches: number;
  /** How many batches of the same size the held-out rows would be (`inBatches`). */
  heldoutBatches: number;
  /** Rows of a small batch as a share of a batch's. */
  smallBatchShare: number;
  loss: LossKind;
}

export interface ForeseenWork {
  total: number;
  /** Work of each round, from 0. */
  rounds: number[];
  /** Work of an epoch of the final training, with the held-out rows after it. */
  epoch: number;
}

/** Rows in batches of as many as the calibration's have: what they cost to go through. */
export function inBatches(rows: number, calibration: readonly LossBatch[]): number {
  return rows / Math.max(...calibration.map((batch) => batch.rows));
}

/**
 * Rounds that a selection will take; those that have begun are known. A quality budget is used up sooner or later: that
 * half of all blocks go is a guess.
 * @throws UserError if the model has no room for the budget
 */
export function foreseenRounds(decoder: Decoder, settings: JobSettings, begun = 0): number {
  const most = budgetInBlocks(decoder, settings);
  return settings.budget.kind === 'blocks' ? most : Math.min(most, Math.max(begun, Math.ceil(most / 2)));
}

export function foreseenWork(decoder: Decoder, settings: JobSettings, size: WorkSize): ForeseenWork {
  const { batches, smallBatchShare } = size;
  const strategy = selectionStrategy(settings.strategy);
  const candidates = candidateBlocks(decoder, blockKinds(settings), []).length;
  const contested = contestedBlocks(budgetInBlocks(decoder, settings), settings.budget.kind === 'quality');
  const round = { batches, smallBatchShare, contested, loss: size.loss };
  const rounds = Array.from({ length: size.rounds }, (_, number) =>
    strategy.costOfRound({ ...round, candidates: candidates - number }, number),
  );
  const asked =
    settings.trainPoints === 'all'
      ? size.rounds
      : settings.budget.kind === 'quality'
        ? 2 * Math.ceil(Math.log2(size.rounds + 1))
        : Math.min(1, size.rounds);
  const learnsAnswers = size.loss === 'cross-entropy';
  // The cut model with no block skipped.
  const startsCut = isCut(settings) && (learnsAnswers || settings.trainPoints === 'all' || size.rounds === 0);
  const { epoch, point } = pointWork(size, trainingSettings(settings, decoder.hiddenSize).epochs);
  // The file's answers are learnt with nothing skipped, too; without scales that is the original, which is measured.
  const withNothingSkipped = learnsAnswers ? point - size.heldoutBatches : 0;
  const others = originalWork(size) + withNothingSkipped + (asked + Number(startsCut)) * point;
  return {
    total: rounds.reduce((sum, cost) => sum + cost, others),
    rounds,
    epoch,
  };
}

/** Work of a point that is trained for so many epochs, and of measuring it: the original, and it with and without scales. */
export function pointWork(
  { batches, heldoutBatches }: Pick<WorkSize, 'batches' | 'heldoutBatches'>,
  epochs: number,
): { epoch: number; point: number } {
  const epoch = batches * GRADIENT_STEP_COST + heldoutBatches;
  return { epoch, point: epochs * epoch + 3 * heldoutBatches };
}

/**
 * Work of measuring the original, which tells its distributions on the held-out rows, too; and of those on the calibration
 * rows, where they are learnt.
 */
export function originalWork({
  batches,
  heldoutBatches,
  loss,
}: Pick<WorkSize, 'batches' | 'heldoutBatches' | 'loss'>): number {
  return heldoutBatches + (loss === 'divergence' ? batches : 0);
}

/** How much of it a checkpoint holds already. */
export function doneWork(
  decoder: Decoder,
  settings: JobSettings,
  { rounds, epoch }: ForeseenWork,
  state: CheckpointState,
): number {
  const candidates = candidateBlocks(decoder, blockKinds(settings), []).length;
  const selection = rounds.reduce((sum, cost, number) => {
    const round = state.rounds[number];
    const tried = Object.keys(round?.losses ?? {}).length / (candidates - number);
    return sum + cost * (round?.chosen ? 1 : tried);
  }, 0);
  const trained = Object.values(state.training).reduce((sum, { epochs }) => sum + epochs.length - 1, 0);
  return selection + trained * epoch;
}
