/** What blocks cost alone: on all judged rows for those that may be chosen, on half of them for the others. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { lossBatchOf } from '../../../../test/support/random-scales.js';
import type { BlockName } from '../../../schema/blocks.js';
import { blockNames } from '../../decoder/decoder.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import { initialScales } from '../../decoder/scales.js';
import type { SelectionContext } from './selection-strategy.js';
import { SkipLosses } from './skip-losses.js';

const decoder = readDecoder(buildDecoder(decoderStyles[0]!, { layers: 4 }));
const blocks = blockNames(decoder);
const batches = [1, 2, 3].map((seed) => lossBatchOf(decoder, seed));
const GO_ON = 3;

async function open(judged: typeof batches): Promise<SkipLosses> {
  const context: SelectionContext = {
    decoder,
    batches,
    smallBatches: [],
    granularity: 'scalar',
    loss: 'cross-entropy',
    start: undefined,
    trialRows: { judged, training: [], validation: [] },
    seed: 0,
    learningRate: 0,
    runOptions: undefined,
    signal: undefined,
    onWork: () => {},
  };
  return await SkipLosses.open(context);
}

let whole: SkipLosses;
let earlier: SkipLosses;
beforeAll(async () => {
  [whole, earlier] = await Promise.all([open(batches), open(batches.slice(0, 2))]);
});
afterAll(async () => {
  await whole.release();
  await earlier.release();
});

it('the lowest on the earlier half are judged by all rows and come first, the others by that half', async () => {
  const looks: [BlockName, number, number][] = [];
  const found = await whole.without(
    initialScales(whole.scaleSizes),
    blocks,
    (block, { index, tries }) => looks.push([block, index, tries]),
    GO_ON,
  );
  const byHalf = await earlier.without(initialScales(whole.scaleSizes), blocks, () => {});
  const byAll = await whole.without(initialScales(whole.scaleSizes), blocks, () => {});
  const wentOn = [...byHalf.keys()].slice(0, GO_ON);
  expect([...found.keys()].slice(0, GO_ON).toSorted()).toEqual(wentOn.toSorted());
  expect([...found.keys()].slice(GO_ON)).toEqual([...byHalf.keys()].slice(GO_ON));
  for (const [block, loss] of found) {
    const expected = (wentOn.includes(block) ? byAll : byHalf).get(block)!;
    expect(loss).toBeCloseTo(expected, 6);
    expect(Math.abs(byAll.get(block)! - byHalf.get(block)!)).toBeGreaterThan(1e-4);
  }
  const lowest = [...found.values()].slice(0, GO_ON);
  expect(lowest).toEqual(lowest.toSorted((a, b) => a - b));

  const tries = 2 * blocks.length + GO_ON;
  expect(looks.map(([, index]) => index)).toEqual([...Array(tries).keys()]);
  expect(new Set(looks.map(([, , all]) => all))).toEqual(new Set([tries]));
  expect(new Set(looks.slice(-GO_ON).map(([block]) => block))).toEqual(new Set(wentOn));
});
