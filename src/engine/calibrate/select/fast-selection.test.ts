/** What the fast search does that the published one does not. Its quality is measured by `npm run bench:strategies`. */
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { lossBatchOf } from '../../../../test/support/random-scales.js';
import { sampleBatches, sampleDecoder } from '../../../../test/support/sample.js';
import { roundSize } from '../../../../test/support/round-size.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import type { BlockName } from '../../../schema/blocks.js';
import { nearest } from './carried-over.js';
import { DIVERGED } from './selection-strategy.js';
import { type Checkpoint, unsavedCheckpoint } from '../checkpoint.js';
import { fastSelection } from './fast-selection.js';
import { selectBlocks } from './select-blocks.js';
import type { SelectionContext } from './selection-strategy.js';

const quiet = {
  granularity: 'channel+gain',
  seed: 0,
  learningRate: 1e-2,
  runOptions: undefined,
  signal: undefined,
  loss: 'cross-entropy' as const,
  start: undefined,
  trialRows: { judged: [], training: [], validation: [] },
  onWork: () => {},
} as const;

describe('the fast search', () => {
  const decoder = readDecoder(buildDecoder(decoderStyles[0]!));
  const batches = [0, 1, 2, 3, 4, 5].map((seed) => lossBatchOf(decoder, seed));

  it('finds MLP blocks that the task does not need, among those of both kinds', async () => {
    const sample = await sampleDecoder();
    const rows = (inBatch: number) => sampleBatches(sample, 'arithmetic', 0, 63, inBatch);
    const checkpoint = unsavedCheckpoint();
    const blocks = await selectBlocks(
      { ...quiet, decoder: sample, batches: await rows(32), smallBatches: await rows(2) },
      { strategy: fastSelection, kinds: ['attention', 'mlp'], budget: 3 },
      checkpoint,
      () => {},
    );
    // The published search skips MLPs 1, 3 and 4. Without scales each costs less than any attention block.
    for (const block of blocks) expect(block).toMatch(/^mlp [1-9]$/);
    for (const { rises, chosen } of checkpoint.state.rounds) expect(rises![chosen!]).toBeLessThan(5e-3);
  }, 120_000);

  it('starts each candidate from what its last trial learnt', async () => {
    const search = async (checkpoint: Checkpoint, budget: number) => {
      const context: SelectionContext = { ...quiet, decoder, batches, smallBatches: batches };
      const options = { strategy: fastSelection, kinds: ['attention', 'mlp'], budget } as const;
      await selectBlocks(context, options, checkpoint, () => {});
      return checkpoint;
    };
    const oneRound = await search(unsavedCheckpoint(), 1);
    const forgetful = unsavedCheckpoint();
    forgetful.state.rounds.push(structuredClone(oneRound.state.rounds[0]!));
    delete forgetful.state.rounds[0]!.changes;
    const { losses } = (await search(oneRound, 2)).state.rounds[1]!;
    const { losses: lossesAnew } = (await search(forgetful, 2)).state.rounds[1]!;
    const mean = (values: Record<string, number>) =>
      Object.values(values).reduce((sum, loss) => sum + loss, 0) / Object.keys(values).length;
    expect(mean(losses)).toBeLessThan(mean(lossesAnew));
  });

  it('goes on with the blocks that made the loss rise the least, on whichever rows they were judged', () => {
    const round = {
      chosen: 'mlp 1' as const,
      losses: { 'mlp 0': 2.5, 'mlp 1': 2.25, 'mlp 2': 1.5, 'mlp 3': DIVERGED },
      rises: { 'mlp 0': 0.25, 'mlp 1': 0.125, 'mlp 2': 0.5 },
    };
    const left: BlockName[] = ['mlp 3', 'mlp 2', 'mlp 0', 'mlp 4'];
    expect(nearest(left, [round])).toEqual(['mlp 4', 'mlp 0', 'mlp 2', 'mlp 3']);
  });

  it('goes no further than the slope says, however large the learning rate', async () => {
    let work = 0;
    const search = selectBlocks(
      {
        ...quiet,
        decoder,
        batches,
        smallBatches: batches,
        learningRate: 1e30,
        onWork: (passes) => (work += passes),
      },
      { strategy: fastSelection, kinds: ['mlp'], budget: 1 },
      unsavedCheckpoint(),
      () => {},
    );
    expect(await search).toHaveLength(1);
    // Of the nine batches that a round takes six are here, so three of them have their targets already.
    const size = roundSize({
      candidates: 3,
      batches: batches.length,
      smallBatchShare: 1,
    });
    expect(work).toBe(fastSelection.costOfRound(size, 0) - 3);
  });

  it('counts a small batch by its rows', async () => {
    const smallBatches = [...batches, ...[6, 7, 8].map((seed) => lossBatchOf(decoder, seed))];
    const whole = { ...batches[0]!, rows: 5 * batches[0]!.rows };
    let work = 0;
    await selectBlocks(
      { ...quiet, decoder, batches: [whole], smallBatches, onWork: (passes) => (work += passes) },
      { strategy: fastSelection, kinds: ['mlp'], budget: 1 },
      unsavedCheckpoint(),
      () => {},
    );
    expect(work).toBeCloseTo(
      fastSelection.costOfRound(roundSize({ candidates: 3, batches: 1, smallBatchShare: 1 / 5 }), 0),
      6,
    );
  });
});
