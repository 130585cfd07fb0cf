/** The contest of choices: what it takes is what the rows kept apart ended lowest with, and it says what it looks at. */
import { beforeAll, describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { lossBatchOf, randomScales } from '../../../../test/support/random-scales.js';
import type { BlockKind, BlockName } from '../../../schema/blocks.js';
import type { JobEvent } from '../../../schema/events.js';
import { blockNames, type Decoder } from '../../decoder/decoder.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import { openForwardModel } from '../../loss/forward-model.js';
import { initialScales, saveScales, type Scales } from '../../decoder/scales.js';
import { unsavedCheckpoint } from '../checkpoint.js';
import { contestSelection } from './contest-selection.js';
import { selectBlocks } from './select-blocks.js';

const BUDGET = 2;
const styles = decoderStyles.filter((style) => ['llama', 'gpt2'].includes(style.name));

/** @param steps with which each choice is trained, on rows that have nothing to do with those that judge */
async function contested(
  decoder: Decoder,
  start?: Scales,
  { steps = 2, kinds = ['attention', 'mlp'] as BlockKind[], budget = BUDGET } = {},
) {
  const batches = [1, 2, 3].map((seed) => lossBatchOf(decoder, seed));
  const training = Array.from({ length: steps }, (_, step) => batches[step % 2]!);
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
      start,
      trialRows: { judged: batches.slice(0, 2), training, validation: [batches[2]!] },
      onWork: () => {},
    },
    { strategy: contestSelection, kinds, budget },
    checkpoint,
    (event) => events.push(event),
  );
  return { chosen, events, contest: checkpoint.state.rounds[0]!.contest! };
}

describe.each(styles)('a decoder in the style of $name', (style) => {
  const decoder = readDecoder(buildDecoder(style));
  let plain: Awaited<ReturnType<typeof contested>>;
  beforeAll(async () => {
    plain = await contested(decoder);
  });

  it('loses the blocks of the choice that ended lowest', () => {
    const { chosen, events, contest } = plain;
    const { orders, losses, winner } = contest;
    const judged = Object.keys(losses);
    expect(judged.length).toBeGreaterThan(1);
    expect(losses[winner!]).toBe(Math.min(...Object.values(losses)));
    expect(chosen).toEqual(orders[winner!]!.slice(0, BUDGET));
    expect(events.filter((event) => event.type === 'choice-started')).toEqual(
      judged.map((name, index) => ({
        type: 'choice-started',
        blocks: orders[name]!.slice(0, BUDGET),
        index,
        choices: judged.length,
      })),
    );
  });

  it('is looked through, and every look is told: each block alone, then beside the one that went', () => {
    const tries = plain.events.filter((event) => event.type === 'candidate-started');
    const looks: (typeof tries)[] = [];
    for (const one of tries) (one.index === 0 ? looks[looks.push([]) - 1] : looks.at(-1))!.push(one);
    for (const look of looks)
      expect(look.map(({ index }) => index)).toEqual([...Array(look[0]!.tries).keys()]);
    // What each costs alone is asked of the loss and of the divergence.
    expect(looks.map(([first]) => first!.round)).toEqual([0, 1, 0, 1]);
    for (const look of looks.filter(([first]) => first!.round === 0))
      expect(new Set(look.map(({ block }) => block))).toEqual(new Set<BlockName>(blockNames(decoder)));
  });

  it('judges no choice by steps that did it harm', async () => {
    const validation = lossBatchOf(decoder, 3);
    const { contest } = await contested(decoder, undefined, { steps: 60 });
    for (const [name, judged] of Object.entries(contest.losses)) {
      const skipped = contest.orders[name]!.slice(0, BUDGET) as BlockName[];
      const model = await openForwardModel(decoder, { skipped, granularity: 'channel+gain' });
      const { loss } = await model.run(validation, new Map());
      await model.release();
      expect(judged).toBeLessThanOrEqual(loss + 1e-4);
    }
  });

  it('begins from the scales that the whole model has learnt only where they do better', async () => {
    const worse = new Map(
      [...randomScales(decoder, [], 'channel+gain')].map(([key, values]) => [
        key,
        values.map((one) => 9 * one),
      ]),
    );
    const misled = await contested(decoder, worse);
    expect(misled.contest).toEqual(plain.contest);
  });

  it('is trained from the better of the two beginnings, too, where there is a single choice', async () => {
    const skipped = blockNames(decoder).filter((block) => block.startsWith('mlp'));
    const model = await openForwardModel(decoder, { skipped, granularity: 'channel+gain' });
    const lossWith = async (scales: Scales) => (await model.run(lossBatchOf(decoder, 3), scales)).loss;
    const initial = initialScales(model.scaleSizes);
    const whole = randomScales(decoder, [], 'channel+gain');
    const moved = (by: number): Scales =>
      new Map([...whole].map(([key, values]) => [key, values.map((one) => 1 + by * (one - 1))]));
    const losses = await Promise.all([moved(0.1), moved(-0.1)].map(lossWith));
    const [better, worse] = losses[0]! < losses[1]! ? [0.1, -0.1] : [-0.1, 0.1];
    expect(Math.min(...losses)).toBeLessThan(await lossWith(initial));
    expect(Math.max(...losses)).toBeGreaterThan(await lossWith(initial));
    await model.release();

    for (const [given, expected] of [
      [moved(better), moved(better)],
      [moved(worse), moved(0)],
    ] as const) {
      const { contest } = await contested(decoder, given, { kinds: ['mlp'], budget: skipped.length });
      expect(contest.losses).toEqual({});
      expect(contest.scales).toEqual(saveScales(expected));
    }
  });
});
