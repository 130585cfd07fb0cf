/** Greedy selection of blocks to skip, round after round, with a checkpoint after every candidate. */
import type { JobListener } from '../../../schema/events.js';
import type { StrategyName } from '../../../schema/settings.js';
import type { BlockName, BlockKind } from '../../../schema/blocks.js';
import { throwIfCancelled } from '../../../schema/errors.js';
import { candidateBlocks } from './candidates.js';
import { contestSelection } from './contest-selection.js';
import { lastSelection, randomSelection } from './baseline-selection.js';
import { chosenBlocks, type Checkpoint, type RoundState } from '../checkpoint.js';
import { exhaustiveSelection } from './exhaustive-selection.js';
import { fastSelection } from './fast-selection.js';
import { greedySelection } from './greedy-selection.js';
import { blockInfluenceSelection, cosineSelection } from './similarity-selection.js';
import type {
  BlockSelector,
  RoundContext,
  SearchContext,
  SelectionContext,
  SelectionStrategy,
} from './selection-strategy.js';

const STRATEGIES: Readonly<Record<StrategyName, SelectionStrategy>> = {
  contest: contestSelection,
  fast: fastSelection,
  exhaustive: exhaustiveSelection,
  cosine: cosineSelection,
  greedy: greedySelection,
  'block-influence': blockInfluenceSelection,
  random: randomSelection,
  last: lastSelection,
};

/** All of them, the default first. */
export const SELECTION_STRATEGIES: readonly SelectionStrategy[] = Object.values(STRATEGIES);

export function selectionStrategy(name: StrategyName): SelectionStrategy {
  return STRATEGIES[name];
}

export interface SelectionOptions {
  strategy: SelectionStrategy;
  kinds: readonly BlockKind[];
  /** Blocks to skip at the most. */
  budget: number;
  /** Asked after each round: whether to go on with more blocks. Default: yes, up to the budget. */
  goOn?: (skipped: readonly BlockName[]) => Promise<boolean>;
}

/**
 * @returns the blocks to skip in the order chosen; the first k of them are the choice for budget k
 * @throws CancelledError if stopped: the checkpoint then holds all candidates that were finished
 */
export async function selectBlocks(
  context: SelectionContext,
  options: SelectionOptions,
  checkpoint: Checkpoint,
  onEvent: JobListener,
): Promise<BlockName[]> {
  const { rounds } = checkpoint.state;
  let selector: BlockSelector | undefined;
  try {
    for (let number = 0; number < options.budget; number += 1) {
      throwIfCancelled(context.signal);
      const skipped = chosenBlocks(checkpoint.state).slice(0, number);
      const candidates = candidateBlocks(context.decoder, options.kinds, skipped);
      if (candidates.length === 0) break;
      const round: RoundState = (rounds[number] ??= { losses: {} });
      if (!round.chosen) {
        selector ??= await options.strategy.open(searchContext(context, options));
        round.chosen = await selector.chooseBlock(
          roundContext({ skipped, candidates, round, earlier: rounds.slice(0, number) }, checkpoint, onEvent),
        );
        checkpoint.save();
      }
      onEvent({ type: 'block-chosen', round: number, block: round.chosen, loss: round.losses[round.chosen] });
      if (options.goOn && !(await options.goOn([...skipped, round.chosen]))) break;
    }
  } finally {
    await selector?.release();
  }
  return chosenBlocks(checkpoint.state);
}

/**
 * For how many skipped blocks choices are held against each other. A quality budget ends where it will: at a quarter of
 * what there is.
 */
export function contestedBlocks(budget: number, endsByQuality: boolean): number {
  return endsByQuality ? Math.ceil(budget / 4) : budget;
}

function searchContext(context: SelectionContext, { kinds, budget, goOn }: SelectionOptions): SearchContext {
  return { ...context, kinds, contested: contestedBlocks(budget, goOn !== undefined) };
}

function roundContext(
  facts: Pick<RoundContext, 'skipped' | 'candidates' | 'round' | 'earlier'>,
  checkpoint: Checkpoint,
  onEvent: JobListener,
): RoundContext {
  const { skipped, round } = facts;
  return {
    ...facts,
    keep: () => checkpoint.save(),
    onCandidate: (block, { index, tries, off = skipped.length }) =>
      onEvent({ type: 'candidate-started', round: off, block, index, tries }),
    onChoice: (blocks, index, choices) =>
      onEvent({ type: 'choice-started', blocks: [...blocks], index, choices }),
    recordLoss: (block, loss, rise) => {
      round.losses[block] = loss;
      if (rise !== undefined) round.rises = { ...round.rises, [block]: rise };
      checkpoint.save();
      onEvent({ type: 'candidate-tried', round: skipped.length, block, loss, rise });
    },
  };
}
