import { describe, expect, it } from 'vitest';
import { point, quality, runReport } from '../../test/support/run-report.js';
import { chosenPoint, memoryText, pointText, taskText } from './report-text.js';

/** A line of a table by its first cell, as its cells. */
function cellsOf(text: string, first: string): string[] {
  const line = text.split('\n').find((candidate) => candidate.trim().startsWith(first));
  return line?.trim().split(/ {2,}/) ?? [];
}

describe('a point of the curve', () => {
  const report = runReport();
  const text = pointText(report, chosenPoint(report)!);

  it('says what is skipped, in the order in which it was chosen', () => {
    expect(text.split('\n')[0]).toBe('2 blocks skipped of 12 layers: attention 8, mlp 1');
  });

  it('puts figures of original, skipping alone and slimmed model side by side, with their intervals', () => {
    expect(text).toContain('Held-out figures on 8 rows, with 95 % intervals:');
    expect(cellsOf(text, 'original')).toEqual(['original', 'without scales', 'slimmed']);
    expect(cellsOf(text, 'loss')).toEqual([
      'loss of a response token',
      '0.1000 (0.0500 to 0.1500)',
      '1.3000 (1.2500 to 1.3500)',
      '0.3000 (0.2500 to 0.3500)',
    ]);
    expect(cellsOf(text, 'whole response')).toEqual([
      'whole response predicted',
      '100.0 % (95.0 to 105.0)',
      '50.0 % (45.0 to 55.0)',
      '75.0 % (70.0 to 80.0)',
    ]);
  });

  it('without trained scales shows the model as it is without them', () => {
    const bare = { ...point(['mlp 1'], 0.3), withScales: undefined };
    expect(cellsOf(pointText(report, bare), 'loss')).toEqual([
      'loss of a response token',
      '0.1000 (0.0500 to 0.1500)',
      '1.3000 (1.2500 to 1.3500)',
      '1.3000 (1.2500 to 1.3500)',
    ]);
  });

  it('of a single row has no intervals', () => {
    const single = { value: 0.5, low: -Infinity, high: Infinity };
    const original = { ...quality(0.1, 1), loss: single };
    expect(cellsOf(pointText(runReport({ original }), report.points[0]!), 'loss')[1]).toBe('0.5000');
  });

  it('has sizes and speed only where they were measured: at the point that the run settled on', () => {
    const speed = (rate: number) => ({
      promptTokensPerSecond: 2 * rate,
      newTokensPerSecond: rate,
      peakBytes: 2e8,
      rounds: 3,
    });
    const measured = runReport({
      sizes: { original: { modelBytes: 9.2e6 }, slimmed: { modelBytes: 8.8e6 } },
      speed: { original: speed(100), slimmed: speed(120) },
    });
    const chosen = pointText(measured, measured.points[1]!);
    expect(cellsOf(chosen, 'model size')).toEqual(['model size', '9.20 MB', '8.80 MB']);
    expect(cellsOf(chosen, 'generating')).toEqual(['generating', '100 tokens/s', '120 tokens/s']);
    expect(pointText(measured, measured.points[0]!)).not.toContain('model size');
  });

  it('is not chosen as long as the run has not settled', () => {
    expect(chosenPoint(runReport({ chosenPoint: undefined }))).toBeUndefined();
  });
});

describe('the task', () => {
  const { task } = runReport();

  it('says how many rows were used, and whose answers', () => {
    expect(taskText(runReport())).toBe("16 rows to calibrate on (the model's own answers), 8 held out");
    expect(taskText(runReport({ task: { ...task, responses: 'file', calibrationRows: 1 } }))).toBe(
      "1 row to calibrate on (the dataset's answers), 8 held out",
    );
  });

  it('says what could not be used', () => {
    const problems = [
      { kind: 'duplicate' as const, count: 2, lines: [3, 7], example: 'Line 3 says the same.' },
    ];
    expect(taskText(runReport({ task: { ...task, problems } }))).toMatch(/; not used or cut: .*2/);
  });
});

describe('a limit of memory', () => {
  it('that was not set is not spoken of', () => expect(memoryText(runReport())).toEqual([]));

  it('is told with how the model was run, the peak, and what was left out', () => {
    const plan = {
      work: 'calibration' as const,
      limitBytes: 2e9,
      weightBytes: 5e9,
      beforeBytes: 1e8,
      trialBytes: 3e8,
      segments: 6,
      inTurn: true,
    };
    const [way, note, ...rest] = memoryText(
      runReport({ memory: { plans: [plan], peakBytes: 1.5e9 }, note: 'Speed was not measured.' }),
    );
    expect(way).toMatch(/6 segments.*; peak memory 1\.50 GB of 2\.00 GB$/);
    expect(note).toBe('Speed was not measured.');
    expect(rest).toEqual([]);
  });
});
