/** Selections that look at nothing but positions; what a real search has to beat. */
import { createHash } from 'node:crypto';
import type { SelectionStrategy } from './selection-strategy.js';

export const lastSelection: SelectionStrategy = {
  name: 'last',
  description: 'a baseline: skips the last blocks',
  stepsPerRound: () => 0,
  chooseBlock: async (_context, _skipped, candidates) => candidates.at(-1)!,
};

export const randomSelection: SelectionStrategy = {
  name: 'random',
  description: 'a baseline: skips blocks drawn by lot (from the seed)',
  stepsPerRound: () => 0,
  chooseBlock: async (context, skipped, candidates) => {
    const digest = createHash('sha256').update(`${context.seed} ${skipped.length}`).digest();
    return candidates[digest.readUInt32LE(0) % candidates.length]!;
  },
};
