/** Greedy selection of blocks to skip, round after round, with a checkpoint after every candidate. */
import type { JobListener } from '../../../schema/events.js';
import type { StrategyName } from '../../../schema/settings.js';
import type { BlockName, BlockKind } from '../../../schema/blocks.js';
import { blockName, blocksOf, type Block, type Decoder } from '../../decoder/decoder.js';
import { throwIfCancelled } from '../../../schema/errors.js';
import { lastSelection, randomSelection } from './baseline-selection.js';
import { chosenBlocks, type Checkpoint, type RoundState } from '../checkpoint.js';
import { exhaustiveSelection } from './exhaustive-selection.js';
import { fastSelection } from './fast-selection.js';
import { blockInfluenceSelection, cosineSelection } from './similarity-selection.js';
import type {
  BlockSelector,
  RoundContext,
  SelectionContext,
  SelectionStrategy,
} from './selection-strategy.js';

const STRATEGIES: Readonly<Record<StrategyName, SelectionStrategy>> = {
  fast: fastSelection,
  exhaustive: exhaustiveSelection,
  cosine: cosineSelection,
  'block-influence': blockInfluenceSelection,
  random: randomSelection,
  last: lastSelection,
};

/** All of them, the default first. */
export const SELECTION_STRATEGIES: readonly SelectionStrategy[] = Object.values(STRATEGIES);

export function selectionStrategy(name: StrategyName): SelectionStrategy {
  return STRATEGIES[name];
}

/** Blocks of the kinds that may be skipped: no mixtures of experts, and at least one attention block always stays. */
export function candidateBlocks(
  decoder: Decoder,
  kinds: readonly BlockKind[],
  skipped: readonly BlockName[],
): BlockName[] {
  const left = skippable(decoder)
    .map(blockName)
    .filter((block) => !skipped.includes(block));
  const attentionLeft = left.filter((block) => block.startsWith('attention')).length;
  return left.filter(
    (block) => kinds.some((kind) => block.startsWith(kind)) && (block.startsWith('mlp') || attentionLeft > 1),
  );
}

/** The largest budget that the model allows for blocks of these kinds. */
export function largestBudget(decoder: Decoder, kinds: readonly BlockKind[]): number {
  const counts = skippable(decoder).filter((block) => kinds.includes(block.kind));
  return counts.length - (kinds.includes('attention') ? 1 : 0);
}

function skippable(decoder: Decoder): Block[] {
  return blocksOf(decoder).filter((block) => !block.mixture);
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
        selector ??= await options.strategy.open(context);
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

function roundContext(
  facts: Pick<RoundContext, 'skipped' | 'candidates' | 'round' | 'earlier'>,
  checkpoint: Checkpoint,
  onEvent: JobListener,
): RoundContext {
  const { skipped, candidates, round } = facts;
  const place = (block: BlockName) => ({
    round: skipped.length,
    block,
    index: candidates.indexOf(block),
    candidates: candidates.length,
  });
  return {
    ...facts,
    onCandidate: (block) => onEvent({ type: 'candidate-started', ...place(block) }),
    recordLoss: (block, loss, rise) => {
      round.losses[block] = loss;
      if (rise !== undefined) round.rises = { ...round.rises, [block]: rise };
      checkpoint.save();
      onEvent({ type: 'candidate-tried', loss, rise, ...place(block) });
    },
  };
}
