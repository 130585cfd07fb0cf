/** A candidate of the fast search in training, and what it comes to. */
import type { BlockName } from '../../../schema/blocks.js';
import type { ScaleKey } from '../../decoder/scales.js';
import { DIVERGED, type RoundContext } from './selection-strategy.js';

/** Scales in training with some blocks off. */
export interface Training {
  scales: Map<ScaleKey, Float32Array>;
  off: readonly BlockName[];
}

/** A candidate in training: off with the blocks chosen before. */
export interface Trial extends Training {
  block: BlockName;
  /** What it came to on each batch that it was judged on. */
  judgements: Judgement[];
}

/** What the original gives for a batch. */
export interface Target {
  loss: number;
  /** The last value of the stream, [rows, positions, hidden size]. */
  hidden: Float32Array;
}

export interface Judgement {
  /** What decides: the loss and the distance from the original together. */
  decisive: number;
  /** How much the loss alone is above the original's. */
  rise: number;
}

/** Weight of the distance from the original's hidden states beside the loss: decides where losses hardly differ. */
const DISTANCE_WEIGHT = 0.1;

/** Rounding may leave a divergence of nothing a little below it. */
const SMALLEST = 1e-6;

/** @param distance relative and squared, as of `hiddenDistance` */
export function judgementOf(loss: number, distance: number, target: Target): Judgement {
  return { decisive: loss + DISTANCE_WEIGHT * distance, rise: loss - target.loss };
}

/**
 * What decides, the geometric mean over the batches: in the arithmetic one a single row of which the model has lost a
 * token outweighs all the others.
 */
export function lossOf({ judgements }: Trial): number {
  const mean = Math.exp(meanOf(judgements.map(({ decisive }) => Math.log(Math.max(decisive, SMALLEST)))));
  return Number.isFinite(mean) ? mean : DIVERGED;
}

export function recordTrials(trials: readonly Trial[], { recordLoss }: RoundContext): void {
  for (const trial of trials) {
    const rise = meanOf(trial.judgements.map((judged) => judged.rise));
    recordLoss(trial.block, lossOf(trial), Number.isFinite(rise) ? rise : undefined);
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
