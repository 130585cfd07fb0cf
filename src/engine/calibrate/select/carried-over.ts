/** What a round of the fast search leaves for the next ones: scales to start from, and which blocks came near. */
import type { RoundState } from '../checkpoint.js';
import type { BlockName } from '../../../schema/blocks.js';
import { saveScales, scaleChanges, type Scales } from '../../decoder/scales.js';
import type { RoundContext } from './selection-strategy.js';
import type { Trial } from './trial.js';

export interface FinishedRound {
  trials: readonly Trial[];
  /** The scales that all trials began with. */
  start: Scales;
  /** The trial whose block is skipped for good. */
  best: Trial;
  /** For how many blocks, those that came nearest, the changes that their trials made are kept. */
  kept: number;
}

/** Puts into the round what the next one starts from; a checkpoint need not write that of earlier ones again each time. */
export function keepForNextRound(
  { round, earlier, candidates }: RoundContext,
  { trials, start, best, kept }: FinishedRound,
): void {
  round.scales = saveScales(best.scales);
  const before = earlier.at(-1);
  const left = candidates.filter((block) => block !== best.block);
  const near = nearest(left, [...earlier, { ...round, chosen: best.block }]).slice(0, kept);
  const changesOf = (block: BlockName) => {
    const trial = trials.find((candidate) => candidate.block === block);
    return trial ? saveScales(scaleChanges(trial.scales, start)) : before?.changes?.[block];
  };
  round.changes = Object.fromEntries(
    near.flatMap((block) => {
      const changes = changesOf(block);
      return changes ? [[block, changes]] : [];
    }),
  );
  delete before?.scales;
  delete before?.changes;
}

/**
 * Candidates by how near they came to being chosen when they were last tried; those never tried in front. By what they
 * made the loss rise on their own rows: a round judges its short list on more rows than the others, whose losses are
 * not alike even where nothing is skipped.
 */
export function nearest(candidates: readonly BlockName[], earlier: readonly RoundState[]): BlockName[] {
  const distance = (block: BlockName) => {
    const last = earlier.findLast((round) => round.losses[block] !== undefined);
    return last ? riseOf(last, block) - riseOf(last, last.chosen!) : -Infinity;
  };
  return candidates.toSorted((a, b) => distance(a) - distance(b));
}

/** A trial that came to no number has a loss alone, which is larger than any rise. */
function riseOf({ rises, losses }: RoundState, block: BlockName): number {
  return rises?.[block] ?? losses[block] ?? 0;
}
