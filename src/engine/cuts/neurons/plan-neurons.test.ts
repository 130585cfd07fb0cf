import { describe, expect, it } from 'vitest';
import type { BlockName } from '../../../schema/blocks.js';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import type { BlockStatistics } from './neuron-statistics.js';
import { planNeurons } from './plan-neurons.js';

/** Three layers of 256 neurons, of which the later ones matter more, and in each the first ones. */
const decoder = readDecoder(buildDecoder(decoderStyles[0]!, { hidden: 128 }));
const statistics = new Map(
  [1, 4, 16].map((need, layer): [BlockName, BlockStatistics] => {
    const fisher = Float64Array.from({ length: 256 }, (_, at) => need * (256 - at));
    const ones = new Float64Array(256).fill(1);
    return [`mlp ${layer}`, { fisher, squares: ones, norms: ones, taylor: ones }];
  }),
);

function widths(kept: ReadonlyMap<BlockName, readonly number[]>): number[] {
  return [...kept.values()].map(({ length }) => length);
}

describe('the plan of neurons', () => {
  it('takes the least needed of all layers, in multiples of 32, and no more than 60 % of one', () => {
    const kept = planNeurons(decoder, statistics, { share: 0.3 });
    expect(widths(kept)).toEqual([128, 192, 224]);
    expect(kept.get('mlp 0')).toEqual(Array.from({ length: 128 }, (_, at) => at));
  });

  it('takes the same of each layer where that is asked for', () => {
    expect(widths(planNeurons(decoder, statistics, { share: 0.25, uneven: false }))).toEqual([192, 192, 192]);
  });

  it('takes about what is asked for, also where it is less than a multiple in each layer', () => {
    const all = (share: number) =>
      widths(planNeurons(decoder, statistics, { share })).reduce((sum, width) => sum + width, 0) / 768;
    expect(all(0.05)).toBeCloseTo(0.95, 1);
    expect(all(0.1)).toBeCloseTo(0.9, 1);
    expect(all(0.1)).toBeLessThan(1);
  });
});
