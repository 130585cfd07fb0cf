import { expect, test } from 'vitest';
import type { CurveEntry } from './curve-series.js';
import { withEstimates } from './estimated-points.js';

const measured = (blocks: number, value: number): CurveEntry => ({
  blocks,
  quality: { value, low: value - 0.02, high: value + 0.02 },
  untrained: undefined,
  trained: true,
});
const shown = (curve: CurveEntry[]) =>
  curve.map(({ blocks, quality, estimated }) => [
    blocks,
    Number(quality.value.toFixed(4)),
    estimated ?? false,
  ]);

test('between measured points the quality falls as the loss rose in the search', () => {
  expect(shown(withEstimates([measured(0, 1), measured(3, 0.9)], [0.1, 0.3, 0.6]))).toEqual([
    [0, 1, false],
    [1, 0.99, true],
    [2, 0.96, true],
    [3, 0.9, false],
  ]);
});

test('evenly where the search tells nothing, and each stretch by itself', () => {
  const curve = [measured(0, 1), measured(2, 0.8), measured(3, 0.7), measured(5, 0.5)];
  expect(shown(withEstimates(curve, []))).toEqual([
    [0, 1, false],
    [1, 0.9, true],
    [2, 0.8, false],
    [3, 0.7, false],
    [4, 0.6, true],
    [5, 0.5, false],
  ]);
});

test('a block whose loss fell costs nothing', () => {
  const [, first] = withEstimates([measured(0, 1), measured(2, 0.8)], [-0.2, 0.1]);
  expect(first!.quality).toEqual({ value: 1, low: 1, high: 1 });
});
