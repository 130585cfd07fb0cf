/** What rows have in common is computed once, and gives what each row gives by itself. */
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { randomScales, skippedOfBothKinds } from '../../../test/support/random-scales.js';
import { DISTINCT_INPUTS } from '../decoder/edit/distinct-tokens.js';
import { DataFlow } from '../decoder/read/data-flow.js';
import { asProjection } from '../decoder/read/projection-operators.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { DataType } from '../onnx/graph/data-types.js';
import { makeValueInfo } from '../onnx/graph/value-info.js';
import { openSession } from '../runtime/session.js';
import { distinctTokens } from './distinct-feeds.js';
import { gatedDecoder, openForwardModel } from './forward-model.js';
import { gateFeeds } from './gated-decoder.js';
import { makeLossBatch } from './loss-batch.js';
import { openGradientModel } from './open-gradient-model.js';

const ROWS = [
  { ids: [3, 5, 7, 11, 2, 9, 4], responseStart: 4 },
  { ids: [3, 5, 7, 11, 2, 8], responseStart: 4 },
  { ids: [3, 5, 7, 11, 2, 9, 4, 6, 1], responseStart: 4 },
  { ids: [12, 5, 7], responseStart: 1 },
];

it('finds tokens whose rows are the same up to there, and leaves padding out', () => {
  const { feeds, count } = distinctTokens({
    rows: 3,
    positions: 4,
    ids: [3, 5, 7, 0, 3, 5, 8, 5, 5, 5, 0, 0],
    mask: [1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 0],
  });
  const numbers = (name: string) => Array.from(feeds[name]!.data as BigInt64Array, Number);
  expect(count).toBe(7);
  expect(numbers(DISTINCT_INPUTS.tokens)).toEqual([0, 1, 2, 6, 7, 8, 9]);
  const places = numbers(DISTINCT_INPUTS.places);
  expect(places.slice(0, 3)).toEqual([0, 1, 2]);
  expect(places.slice(4, 8)).toEqual([0, 1, 3, 4]);
  expect(places.slice(8, 10)).toEqual([5, 6]);
});

describe.each(decoderStyles)('a decoder in the style of $name', (style) => {
  const decoder = readDecoder(buildDecoder(style));
  const options = { skipped: skippedOfBothKinds, granularity: 'channel+gain+offset' } as const;
  const scales = randomScales(decoder, options.skipped, options.granularity);
  const together = makeLossBatch(decoder, ROWS, 0);
  const apart = ROWS.map((row) => makeLossBatch(decoder, [row], 0));

  it('gives each token of rows that begin alike the loss that it has in its row alone', async () => {
    expect(together.distinct.count).toBeLessThan(apart.reduce((sum, row) => sum + row.distinct.count, 0));
    const model = await openForwardModel(decoder, options);
    const { tokenLosses } = await model.run(together, scales);
    const alone: number[] = [];
    for (const row of apart) alone.push(...(await model.run(row, scales)).tokenLosses);
    await model.release();
    expect(tokenLosses).toHaveLength(alone.length);
    alone.forEach((loss, token) => expect(Math.abs(tokenLosses[token]! - loss)).toBeLessThan(1e-4));
  });

  it('has the gradients of all rows by themselves together', async () => {
    const model = await openGradientModel(decoder, options);
    const { gradients } = await model.run(together, scales);
    const sums = new Map([...gradients].map(([key, { length }]) => [key, new Float64Array(length)]));
    for (const row of apart) {
      const share = row.labels.length / together.labels.length;
      for (const [key, values] of (await model.run(row, scales)).gradients)
        values.forEach((value, index) => (sums.get(key)![index]! += share * value));
    }
    await model.release();
    const length = Math.hypot(...[...sums.values()].flatMap((values) => [...values]));
    expect(length).toBeGreaterThan(0.01);
    for (const [key, values] of gradients)
      values.forEach((value, index) =>
        expect(Math.abs(value - sums.get(key)![index]!), key).toBeLessThan(1e-4 * length),
      );
  });

  it('multiplies distinct tokens alone with weights', async () => {
    const { gated, gates } = gatedDecoder(decoder, options);
    const { graph, model } = gated;
    const flow = new DataFlow(graph);
    const products = graph.nodes.filter(
      (node) => node.opType === 'MatMul' && asProjection(flow, node) !== undefined,
    );
    expect(products.length).toBeGreaterThan(0);
    model.graph.output = products.map(({ input }) =>
      makeValueInfo(input[0]!, DataType.FLOAT, [1, 'tokens', 'width']),
    );
    const session = await openSession(model, { threads: 1 });
    const inputs = new Set(graph.inputs.map(({ name }) => name));
    const feeds = { ...together.feeds, ...together.distinct.feeds, ...gateFeeds(gates, scales) };
    const results = await session.run(
      Object.fromEntries(Object.entries(feeds).filter(([name]) => inputs.has(name))),
    );
    await session.release();
    for (const { dims } of Object.values(results))
      expect(dims.slice(0, 2)).toEqual([1, together.distinct.count]);
  });
});
