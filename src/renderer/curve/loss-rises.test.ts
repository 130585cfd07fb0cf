import type { SelectionRound } from '../../schema/runs.js';
import { expect, test } from 'vitest';
import { lossRises } from './loss-rises.js';

const close = (rises: Record<string, number>[]) =>
  rises.map((round) =>
    Object.fromEntries(Object.entries(round).map(([block, rise]) => [block, Number(rise.toFixed(6))])),
  );

test('each round counts from the block that was chosen before, the first from the original', () => {
  const rounds: SelectionRound[] = [
    { losses: { 'attention 1': 0.5, 'attention 2': 0.3 }, chosen: 'attention 2' },
    { losses: { 'attention 1': 0.7 } },
  ];
  expect(close(lossRises(rounds, 0.2))).toEqual([
    { 'attention 1': 0.3, 'attention 2': 0.1 },
    { 'attention 1': 0.4 },
  ]);
  expect(close(lossRises(rounds, undefined))).toEqual([{}, { 'attention 1': 0.4 }]);
});

test('where what decided is more than the loss, rises of the loss alone count', () => {
  const rounds: SelectionRound[] = [
    { losses: { 'attention 1': 9 }, rises: { 'attention 1': 0.1 }, chosen: 'attention 1' },
    { losses: { 'attention 2': 11 }, rises: { 'attention 2': 0.25 } },
  ];
  expect(close(lossRises(rounds, 5))).toEqual([{ 'attention 1': 0.1 }, { 'attention 2': 0.15 }]);
});
