/** The published search, against PyTorch. Whole searches take minutes and run only if HOPSCOTCH_LONG_TESTS is set. */
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { lossBatchOf } from '../../../../test/support/random-scales.js';
import {
  SAMPLE_TASKS,
  sampleBatches,
  sampleDecoder,
  taskReference,
} from '../../../../test/support/sample.js';
import { roundSize } from '../../../../test/support/round-size.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import { unsavedCheckpoint } from '../checkpoint.js';
import { exhaustiveSelection } from './exhaustive-selection.js';
import { selectBlocks } from './select-blocks.js';

const isLong = process.env.HOPSCOTCH_LONG_TESTS !== undefined;
const longReason = isLong ? '' : ' (skipped: takes minutes; set HOPSCOTCH_LONG_TESTS to run it)';

describe('the published search', () => {
  it('chooses the block that PyTorch chooses in the first round, for the same losses', async () => {
    await expectPublishedRounds('tracking', 1);
  }, 300_000);

  describe.skipIf(!isLong)(`in whole${longReason}`, () => {
    it.each(SAMPLE_TASKS)(
      'chooses the three blocks that PyTorch chooses for %s, for the same losses',
      async (task) => await expectPublishedRounds(task, 3),
      1_200_000,
    );
  });
});

async function expectPublishedRounds(task: (typeof SAMPLE_TASKS)[number], rounds: number): Promise<void> {
  const { chosen, losses } = taskReference(task).published_selection;
  const decoder = await sampleDecoder();
  const checkpoint = unsavedCheckpoint();
  const batches = await sampleBatches(decoder, task, 0, 255);
  const blocks = await selectBlocks(
    { ...quiet, decoder, batches, learningRate: 1e-2 },
    { strategy: exhaustiveSelection, kinds: ['attention'], budget: rounds },
    checkpoint,
    () => {},
  );
  expect(blocks).toEqual(chosen.slice(0, rounds).map((layer) => `attention ${layer}`));
  for (const [round, expected] of losses.slice(0, rounds).entries()) {
    const actual = checkpoint.state.rounds[round]!.losses;
    expect(Object.keys(actual)).toHaveLength(Object.keys(expected).length);
    for (const [layer, loss] of Object.entries(expected)) {
      expect(Math.abs(actual[`attention ${layer}`]! - loss), `round ${round}, layer ${layer}`).toBeLessThan(
        1e-3,
      );
    }
  }
}

const quiet = {
  smallBatches: [],
  granularity: 'channel+gain',
  seed: 0,
  runOptions: undefined,
  signal: undefined,
  loss: 'cross-entropy' as const,
  start: undefined,
  trialRows: { judged: [], training: [], validation: [] },
  onWork: () => {},
} as const;

describe('a published search whose training diverges', () => {
  it('says what to do, and its checkpoint can be read again', async () => {
    const decoder = readDecoder(buildDecoder(decoderStyles[0]!));
    const batches = [0, 1, 2, 3, 4, 5].map((seed) => lossBatchOf(decoder, seed));
    const checkpoint = unsavedCheckpoint();
    let work = 0;
    const search = selectBlocks(
      { ...quiet, decoder, batches, learningRate: 1e30, onWork: (passes) => (work += passes) },
      { strategy: exhaustiveSelection, kinds: ['mlp'], budget: 1 },
      checkpoint,
      () => {},
    );
    await expect(search).rejects.toThrow(/not a number.*try a smaller learning rate for choosing blocks\.$/);
    expect(JSON.parse(JSON.stringify(checkpoint.state))).toEqual(checkpoint.state);
    const size = roundSize({
      candidates: 3,
      batches: batches.length,
      smallBatchShare: 1,
    });
    expect(work).toBe(exhaustiveSelection.costOfRound(size, 0));
  });
});
