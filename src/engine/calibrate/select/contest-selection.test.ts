/** The contest of choices: what it takes is what the rows kept apart ended lowest with, and it says what it looks at. */
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { lossBatchOf } from '../../../../test/support/random-scales.js';
import type { BlockName } from '../../../schema/blocks.js';
import type { JobEvent } from '../../../schema/events.js';
import { blockNames } from '../../decoder/decoder.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import { unsavedCheckpoint } from '../checkpoint.js';
import { contestSelection } from './contest-selection.js';
import { selectBlocks } from './select-blocks.js';

const BUDGET = 2;
const styles = decoderStyles.filter((style) => ['llama', 'gpt2'].includes(style.name));

describe.each(styles)('a decoder in the style of $name', (style) => {
  it('loses the blocks of the choice that ended lowest, and every look is told', async () => {
    const decoder = readDecoder(buildDecoder(style));
    const batches = [1, 2, 3].map((seed) => lossBatchOf(decoder, seed));
    const checkpoint = unsavedCheckpoint();
    const events: JobEvent[] = [];
    const chosen = await selectBlocks(
      {
        decoder,
        batches,
        smallBatches: [],
        granularity: 'channel+gain',
        seed: 0,
        learningRate: 0.01,
        runOptions: undefined,
        signal: undefined,
        loss: 'cross-entropy',
        start: undefined,
        trialRows: { judged: batches.slice(0, 2), training: batches.slice(0, 2), validation: [batches[2]!] },
        onWork: () => {},
      },
      { strategy: contestSelection, kinds: ['attention', 'mlp'], budget: BUDGET },
      checkpoint,
      (event) => events.push(event),
    );

    const { orders, losses, winner } = checkpoint.state.rounds[0]!.contest!;
    const judged = Object.keys(losses);
    expect(judged.length).toBeGreaterThan(1);
    expect(losses[winner!]).toBe(Math.min(...Object.values(losses)));
    expect(chosen).toEqual(orders[winner!]!.slice(0, BUDGET));

    const choices = events.filter((event) => event.type === 'choice-started');
    expect(choices).toEqual(
      judged.map((name, index) => ({
        type: 'choice-started',
        blocks: orders[name]!.slice(0, BUDGET),
        index,
        choices: judged.length,
      })),
    );
    const tries = events.filter((event) => event.type === 'candidate-started');
    const alone = tries.filter(({ round }) => round === 0);
    expect(alone.map(({ index }) => index)).toEqual(alone.map((_, index) => index));
    expect(new Set(alone.map(({ block }) => block))).toEqual(new Set<BlockName>(blockNames(decoder)));
    expect(alone).toHaveLength(alone[0]!.tries);
    const beside = tries.filter(({ round }) => round === 1);
    expect(beside).toHaveLength(beside[0]!.tries);
  });
});
