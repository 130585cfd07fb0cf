import type { HeldoutQuality } from '../../schema/report.js';
import type { BlockName } from '../../schema/blocks.js';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { unsavedCheckpoint } from '../calibrate/checkpoint.js';
import { GrowingReport } from './growing-report.js';
import { readReport } from './report.js';

const CHOSEN: BlockName[] = ['attention 8', 'attention 0', 'attention 3'];
const exact = { value: 1, low: 1, high: 1 };
const quality: HeldoutQuality = {
  rows: 4,
  tokens: 9,
  loss: exact,
  perplexity: exact,
  tokenAccuracy: exact,
  answerAccuracy: exact,
  divergence: undefined,
};
let file: string;

beforeEach(() => (file = path.join(temporaryFolder(), 'report.json')));

/** The report of a run that starts or goes on, with the original measured. */
function growing(chosen = CHOSEN): GrowingReport {
  const checkpoint = unsavedCheckpoint();
  checkpoint.state.rounds.push(...chosen.map((block) => ({ losses: {}, chosen: block })));
  const task = {
    columns: '',
    calibrationRows: 8,
    heldoutRows: 4,
    calibrationTokens: 80,
    problems: [],
    responses: 'own' as const,
  };
  const report = new GrowingReport(file, { layers: 12, task, seconds: {} }, checkpoint);
  report.addOriginal({ original: quality, trainedOriginal: undefined, qualityMeasure: 'answers' });
  return report;
}

const point = (blocks: number, skipped = CHOSEN) => ({
  skipped: skipped.slice(0, blocks),
  withoutScales: quality,
  withScales: quality,
  selectionLoss: undefined,
  training: undefined,
});
const kept = () => readReport(file).points.map(({ skipped }) => skipped.length);

test('after every point the report on disk has it, in the order of the curve', () => {
  const report = growing();
  report.addPoint(point(3));
  expect(kept()).toEqual([3]);
  report.addPoint(point(1));
  expect(kept()).toEqual([1, 3]);
  expect(readReport(file).chosenPoint).toBeUndefined();
});

test('a resumed run keeps the points measured before, until it has measured them again', () => {
  const before = growing();
  for (const blocks of [3, 1, 2]) before.addPoint(point(blocks));
  growing().addPoint({ ...point(3), selectionLoss: 0.5 });
  expect(kept()).toEqual([1, 2, 3]);
  expect(readReport(file).points[2]!.selectionLoss).toBe(0.5);
});

test('points with other blocks than those that the checkpoint chose are not kept', () => {
  growing().addPoint(point(3));
  const others: BlockName[] = ['attention 5', 'attention 6'];
  growing(others).addPoint(point(1, others));
  expect(kept()).toEqual([1]);
});

test('a finished run that is run once more keeps its whole report until there is another', () => {
  growing().settle([point(1), point(2)], 2);
  const again = growing();
  again.addPoint(point(2));
  expect(readReport(file)).toMatchObject({ chosenPoint: 2 });
  expect(kept()).toEqual([1, 2]);
  again.settle([point(1)], 1);
  expect(readReport(file)).toMatchObject({ chosenPoint: 1 });
});
