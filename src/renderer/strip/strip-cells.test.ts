import type { SelectionRound } from '../../schema/runs.js';
import { describe, expect, test } from 'vitest';
import { sample } from '../../../test/renderer/web-host/model-handlers.js';
import { strip as texts } from '../texts/strip.js';
import { labelEvery, plainView, stripColumns, type StripView } from './strip-cells.js';

const columns = (view: Partial<StripView>) => stripColumns(sample(), 0, { ...plainView, ...view });
const cell = (view: Partial<StripView>, block: string) =>
  columns(view)
    .flatMap(({ cells }) => cells)
    .find((candidate) => candidate.block === block)!;

describe('columns of the strip', () => {
  test('a column a layer, attention above MLP, sized by their share of the file', () => {
    const [first] = columns({});
    expect(columns({})).toHaveLength(12);
    expect(first!.cells.map(({ block }) => block)).toEqual(['attention 0', 'mlp 0']);
    expect(first!.cells[1]!.size).toBe(1);
    expect(first!.cells[0]!.size).toBeCloseTo(0.365, 2);
  });

  test('the KV lane keeps what is left', () => {
    const lane = columns({ skipped: ['attention 1'] }).map(({ keepsCache }) => keepsCache);
    expect(lane).toEqual(lane.map((_, layer) => layer !== 1));
  });

  test('a model that is gone still has its layers', () => {
    expect(stripColumns(undefined, 30, plainView)).toHaveLength(30);
  });

  test('shades run from the block missed least to the one needed most, round by round', () => {
    const rounds: SelectionRound[] = [
      { losses: { 'attention 0': 0.01, 'attention 1': 0.1, 'attention 2': 1 }, chosen: 'attention 0' },
      { losses: { 'attention 1': 0.5, 'attention 2': 2 } },
    ];
    const shade = (block: string) => cell({ rounds }, block).importance;
    expect([shade('attention 0'), shade('attention 1'), shade('attention 2')]).toEqual([0, 0, 1]);
    expect(shade('attention 3')).toBeUndefined();
  });

  test('the rise of the loss is counted from the blocks skipped before', () => {
    const rounds: SelectionRound[] = [
      { losses: { 'attention 4': 0.03 }, chosen: 'attention 4' },
      { losses: { 'attention 5': 0.07 } },
    ];
    expect(cell({ rounds, originalLoss: 0.018 }, 'attention 4').lossRise).toBeCloseTo(0.012);
    expect(cell({ rounds, originalLoss: 0.018 }, 'attention 5').lossRise).toBeCloseTo(0.04);
  });

  test('blocks that may not be skipped are dimmed: those of another kind, and those that a model cannot do without', () => {
    const model = sample();
    const blocks = model.blocks.map((block) => ({ ...block, skippable: block.layer !== 2 }));
    const dimmed = stripColumns({ ...model, blocks }, 0, { ...plainView, open: ['mlp'] })
      .flatMap(({ cells }) => cells)
      .filter((candidate) => candidate.dimmed);
    expect(dimmed.filter(({ kind }) => kind === 'attention')).toHaveLength(12);
    expect(dimmed.filter(({ kind }) => kind === 'mlp').map(({ layer }) => layer)).toEqual([2]);
  });

  test('labels thin out where layers are many', () => {
    expect([12, 40, 60, 100].map(labelEvery)).toEqual([1, 2, 4, 5]);
  });
});

describe('what a screen reader hears', () => {
  test('a skipped block: its place in the order and what it cost', () => {
    const rounds: SelectionRound[] = [{ losses: { 'attention 7': 0.03 }, chosen: 'attention 7' }];
    const view = { rounds, skipped: ['attention 7' as const], originalLoss: 0.018 };
    expect(texts.name(cell(view, 'attention 7'))).toBe('Layer 7, attention, skipped first, loss +0.0120');
  });

  test('a block that nothing is known of yet: its size', () => {
    expect(texts.name(cell({}, 'mlp 3'))).toMatch(/^Layer 3, MLP, 135.k parameters, 541 kB/);
  });

  test('the block that is being tried', () => {
    expect(texts.name(cell({ trying: 'attention 2' }, 'attention 2'))).toContain('being tried');
  });

  test('each block of a choice that is being tried', () => {
    const trying = ['attention 2', 'mlp 4'] as const;
    for (const block of trying) expect(texts.name(cell({ trying }, block))).toContain('being tried');
    expect(texts.name(cell({ trying }, 'attention 4'))).not.toContain('being tried');
  });
});
