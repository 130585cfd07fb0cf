/** How many blocks a job may skip, held against what the model has. */
import { ImpossibleError } from '../../../schema/errors.js';
import { isCut } from '../../../schema/cuts.js';
import type { JobSettings } from '../../../schema/settings.js';
import { largestBudget } from '../../calibrate/select/candidates.js';
import { blocksOf, type Decoder } from '../../decoder/decoder.js';
import { blockKinds } from './settings.js';

/**
 * The most blocks that the job will skip; for a quality budget all that may be.
 * @throws ImpossibleError if the model has no room for the budget: asked on opening, before anything is generated
 */
export function budgetInBlocks(decoder: Decoder, settings: JobSettings): number {
  const largest = largestBudget(decoder, blockKinds(settings));
  const { budget, kind } = settings;
  if (largest === 0 && kind === 'mlp' && blocksOf(decoder).some((block) => block.mixture)) {
    throw new ImpossibleError(
      "The model's MLPs are mixtures of experts, which Hopscotch does not skip; choose attention blocks.",
    );
  }
  if (budget.kind === 'quality') return largest;
  if (budget.blocks === 0 && !isCut(settings)) {
    throw new ImpossibleError(
      'A budget of 0 blocks leaves the model as it is; ask for a block at least, or for another cut.',
    );
  }
  if (budget.blocks <= largest) return budget.blocks;
  const kindWord = kind === 'both' ? '' : `${kind === 'mlp' ? 'MLP' : kind} `;
  throw new ImpossibleError(
    `The model has ${largest} ${kindWord}blocks that can be skipped; a budget of ${budget.blocks} is too much.`,
  );
}
