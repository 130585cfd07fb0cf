import { describe, expect, it } from 'vitest';
import type { DecoderDescription } from '../../../schema/blocks.js';
import { bytesWithCuts } from '../../../schema/cut-sizes.js';
import { leastTime, planFor, smallestWithin, type PlannedCuts, type TriedCuts } from './cut-plan.js';

/** Ten attention blocks and ten MLPs in float32, and a table of tokens. */
const description = describeModel({ attention: 10e6, mlp: 30e6, table: 20e6 });

const tried: TriedCuts = {
  precision: [
    { setting: undefined, loss: 0 },
    { setting: 'int8', loss: 0.01 },
    { setting: 'q4', loss: 0.1 },
  ],
  neurons: [
    { setting: undefined, loss: 0 },
    { setting: 0.2, loss: 0.05 },
  ],
  attention: [
    { setting: 0, loss: 0 },
    { setting: 3, loss: 0.02 },
  ],
};

describe('the size of a model with cuts', () => {
  it('is that of its weights in the bits of the precision, with a scale for 32 of them', () => {
    expect(bytesWithCuts(description, {})).toBe(60e6);
    expect(bytesWithCuts(description, { precision: 'q4' })).toBeCloseTo((60e6 / 4) * (0.5 + 4 / 32), 3);
    expect(bytesWithCuts(description, { precision: 'q4f16' })).toBeCloseTo((60e6 / 4) * (0.5 + 2 / 32), 3);
  });

  it('counts each cut on its own part, and together', () => {
    expect(bytesWithCuts(description, { neurons: 0.2 })).toBeCloseTo(54e6, 3);
    expect(bytesWithCuts(description, { attention: 3 })).toBeCloseTo(57e6, 3);
    expect(bytesWithCuts(description, { keptTokens: 0.5 })).toBeCloseTo(50e6, 3);
    expect(bytesWithCuts(description, { attention: 3, neurons: 0.2, keptTokens: 0.5 })).toBeCloseTo(41e6, 3);
  });

  it('does not fall where the weights are fewer bits already', () => {
    const packed = describeModel({ attention: 10e6, mlp: 30e6, table: 20e6 }, 0.6);
    expect(bytesWithCuts(packed, { precision: 'int8' })).toBeCloseTo(60e6, 3);
  });
});

const within =
  (limit: number) =>
  ({ bytes }: PlannedCuts) =>
    bytes <= limit;

describe('a plan for a size', () => {
  it('takes the cuts of the least loss that reach it', () => {
    // int8 alone: 60 MB / 4 * 1.125 = 16.9 MB.
    expect(planFor(description, tried, within(17e6))).toMatchObject({
      precision: 'int8',
      neurons: undefined,
      attention: 0,
      loss: 0.01,
    });
    expect(planFor(description, tried, within(16.1e6))).toMatchObject({ precision: 'int8', attention: 3 });
    expect(planFor(description, tried, within(10e6))).toMatchObject({ precision: 'q4', attention: 0 });
  });

  it('cuts nothing where that is small enough', () => {
    expect(planFor(description, tried, within(60e6))).toMatchObject({
      precision: undefined,
      attention: 0,
      loss: 0,
    });
  });

  it('is not found where all cuts together leave too much', () => {
    expect(planFor(description, tried, within(5e6))).toBeUndefined();
  });
});

describe('a plan for a speed', () => {
  const timed: TriedCuts = {
    precision: [
      { setting: undefined, loss: 0 },
      { setting: 'int8', loss: 0.01, time: 0.6 },
      { setting: 'q4', loss: 0.1, time: 0.5 },
    ],
    neurons: [
      { setting: undefined, loss: 0 },
      { setting: 0.2, loss: 0.05, time: 0.9 },
    ],
    attention: [
      { setting: 0, loss: 0 },
      { setting: 3, loss: 0.02, time: 0.8 },
    ],
  };
  const asFastAs = (times: number) => planFor(description, timed, ({ time }) => time <= 1 / times);

  it('takes the cuts of the least loss that reach it, each leaving its share of the time', () => {
    expect(asFastAs(1.5)).toMatchObject({ precision: 'int8', attention: 0, neurons: undefined });
    expect(asFastAs(2)).toMatchObject({ precision: 'int8', attention: 3, loss: 0.03 });
    expect(asFastAs(2)!.time).toBeCloseTo(0.48, 6);
  });

  it('is not found where all together are slower', () => {
    expect(asFastAs(3)).toBeUndefined();
    expect(leastTime(description, timed)).toBeCloseTo(0.36, 6);
  });
});

describe('a plan for a quality', () => {
  it('is the smallest model of those that cost no more', () => {
    expect(smallestWithin(description, tried, 0.04)).toMatchObject({ precision: 'int8', attention: 3 });
    expect(smallestWithin(description, tried, 1)).toMatchObject({
      precision: 'q4',
      neurons: 0.2,
      attention: 3,
    });
    expect(smallestWithin(description, tried, 0)).toMatchObject({ bytes: 60e6, loss: 0 });
  });
});

function describeModel(
  { attention, mlp, table }: Record<'attention' | 'mlp' | 'table', number>,
  bytesEach = 4,
): DecoderDescription {
  const block = (kind: 'attention' | 'mlp', layer: number, bytes: number) => ({
    name: `${kind} ${layer}` as const,
    kind,
    layer,
    skippable: true,
    bytes,
    parameters: bytes / bytesEach,
    share: 0,
  });
  const layers = Array.from({ length: 10 }, (_, layer) => [
    block('attention', layer, attention / 10),
    block('mlp', layer, mlp / 10),
  ]);
  const bytes = attention + mlp + table;
  const none = { parameters: 0, bytes: 0 };
  return {
    producer: '',
    opset: 21,
    layers: 10,
    hiddenSize: 64,
    vocabularySize: 1000,
    parallel: false,
    blocks: layers.flat(),
    embedding: none,
    head: none,
    shared: none,
    total: { bytes, parameters: bytes / bytesEach },
    precision: [],
    hasCache: false,
  };
}
