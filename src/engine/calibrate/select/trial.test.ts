import { describe, expect, it } from 'vitest';
import { lossOf } from './trial.js';
import { DIVERGED } from './selection-strategy.js';

function lossOfJudgements(...decisive: number[]): number {
  const judgements = decisive.map((value) => ({ decisive: value, rise: value }));
  return lossOf({ block: 'attention 0', off: [], scales: new Map(), judgements });
}

describe("a candidate's loss", () => {
  it('is not decided by a single batch with a lost token', () => {
    expect(lossOfJudgements(0.01, 0.01, 0.01, 1)).toBeLessThan(lossOfJudgements(0.05, 0.05, 0.05, 0.05));
  });

  it('is the largest of all where it came to no number on any batch', () => {
    expect(lossOfJudgements(0.01, Number.NaN)).toBe(DIVERGED);
    expect(lossOfJudgements(0.01, Infinity)).toBe(DIVERGED);
  });
});
