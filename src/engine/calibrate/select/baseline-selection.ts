/** Selections that look at nothing but positions; what a real search has to beat. */
import type { StrategyName } from '../../../schema/settings.js';
import type { BlockName } from '../../../schema/blocks.js';
import { createHash } from 'node:crypto';
import type { RoundContext, SelectionStrategy } from './selection-strategy.js';

function positional(
  name: StrategyName,
  description: string,
  choose: (round: RoundContext, seed: number) => BlockName,
): SelectionStrategy {
  return {
    name,
    description,
    costOfRound: () => 0,
    open: async ({ seed }) => ({
      chooseBlock: async (round) => choose(round, seed),
      release: async () => {},
    }),
  };
}

export const lastSelection = positional('last', 'a baseline: skips the last blocks', ({ candidates }) =>
  candidates.at(-1)!,
);

export const randomSelection = positional(
  'random',
  'a baseline: skips blocks drawn by lot (from the seed)',
  ({ candidates, skipped }, seed) => {
    const digest = createHash('sha256').update(`${seed} ${skipped.length}`).digest();
    return candidates[digest.readUInt32LE(0) % candidates.length]!;
  },
);
