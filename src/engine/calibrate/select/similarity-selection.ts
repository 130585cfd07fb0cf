/**
 * Selections by how little blocks turn the residual stream, without any training: baselines from the literature.
 * - 'block-influence': ShortGPT (arXiv 2403.03853), the blocks of the layers whose input and output are most alike
 * - 'cosine': attention drop of LLM-Drop (arXiv 2406.15786), the blocks that turn the stream the least
 */
import type { StrategyName } from '../../../schema/settings.js';
import type { BlockName } from '../../../schema/blocks.js';
import { throwIfCancelled } from '../../../schema/errors.js';
import type { SelectionStrategy } from './selection-strategy.js';
import { measureSimilarity, type StreamSimilarity } from './stream-similarity.js';

function bySimilarity(
  name: StrategyName,
  description: string,
  similarity: (measured: StreamSimilarity, block: BlockName) => number,
): SelectionStrategy {
  return {
    name,
    description,
    costOfRound: ({ batches }, round) => (round === 0 ? batches : 0),
    open: async ({ decoder, batches, runOptions, signal, onWork }) => {
      const measured = await measureSimilarity(decoder, batches, runOptions, () => {
        throwIfCancelled(signal);
        onWork(1);
      });
      return {
        chooseBlock: async ({ candidates }) =>
          candidates.reduce((a, b) => (similarity(measured, b) > similarity(measured, a) ? b : a)),
        release: async () => {},
      };
    },
  };
}

export const blockInfluenceSelection = bySimilarity(
  'block-influence',
  'a baseline: skips blocks of the layers that change the residual stream the least (ShortGPT)',
  ({ layers }, block) => layers.get(Number(block.split(' ')[1]))!,
);

export const cosineSelection = bySimilarity(
  'cosine',
  'a baseline: skips the blocks that turn the residual stream the least (LLM-Drop)',
  ({ byBlock }, block) => byBlock.get(block)!,
);
