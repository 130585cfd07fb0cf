/** Mixtures of experts: attention may be skipped, the MLPs stay. */
import { describe, expect, it } from 'vitest';
import { buildDecoder, mixtral } from '../../../test/graphs/build-decoder.js';
import { blockNames } from '../decoder/decoder.js';
import { deleteBlocks } from '../decoder/edit/delete-blocks.js';
import { describeDecoder } from '../decoder/describe.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { UserError } from '../../schema/errors.js';
import { candidateBlocks, largestBudget } from '../calibrate/select/candidates.js';

describe('a model whose MLPs are mixtures of experts', () => {
  const decoder = readDecoder(buildDecoder(mixtral, { opset: 17 }));

  it('offers its attention alone', () => {
    expect(blockNames(decoder)).toHaveLength(6);
    expect(candidateBlocks(decoder, ['attention', 'mlp'], [])).toEqual([
      'attention 0',
      'attention 1',
      'attention 2',
    ]);
    expect(largestBudget(decoder, ['attention'])).toBe(2);
    expect(largestBudget(decoder, ['mlp'])).toBe(0);
    expect(describeDecoder(decoder).blocks.map(({ skippable }) => skippable)).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
    ]);
  });

  it('says why an MLP cannot go', () => {
    expect(() => deleteBlocks(decoder, ['mlp 1'])).toThrow(
      new UserError(
        `The block 'mlp 1' is a mixture of experts (the TopK node "TopK/node_1"), which Hopscotch does not skip; choose attention blocks.`,
      ),
    );
  });
});
