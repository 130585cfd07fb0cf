/** What lies in a run's folder is read as it was written. */
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { finishedRun, quality, runReport } from '../../test/support/run-report.js';
import { runReport as reportSchema } from './report.js';
import { run as runSchema, runId } from './runs.js';
import { estimate } from './values.js';

const throughJson = <S extends v.GenericSchema>(schema: S, value: v.InferOutput<S>) =>
  v.parse(schema, JSON.parse(JSON.stringify(value)));

describe('a report', () => {
  it('comes back as it was', () => {
    const report = runReport();
    expect(throughJson(reportSchema, report)).toEqual(report);
  });

  it('keeps intervals without ends: JSON writes null for them, and they come back infinite', () => {
    const single = { value: 0.5, low: -Infinity, high: Infinity };
    expect(JSON.stringify(single)).toBe('{"value":0.5,"low":null,"high":null}');
    expect(throughJson(estimate, single)).toEqual(single);
    const report = runReport({ original: { ...quality(0.1, 1), loss: single, divergence: single } });
    expect(throughJson(reportSchema, report)).toEqual(report);
  });

  it('without a figure has none, which is not a figure without an end', () => {
    expect(v.safeParse(estimate, { value: null, low: 0, high: 1 }).success).toBe(false);
    expect(v.safeParse(estimate, { value: 1, low: 0 }).success).toBe(false);
  });

  it('of another version or of other words is not one', () => {
    const { points } = runReport();
    for (const changes of [
      { version: 2 },
      { points: [{ ...points[0], skipped: ['layer 3'] }] },
      { qualityMeasure: 'feeling' },
      { original: undefined },
    ])
      expect(v.safeParse(reportSchema, { ...runReport(), ...changes }).success).toBe(false);
  });
});

describe('a run', () => {
  it('comes back as it was, with and without what comes later', () => {
    const later = { title: 'Nuts', exportedTo: '/slimmed', process: 7, error: 'The disk is full.' };
    for (const run of [finishedRun(), finishedRun(later)]) expect(throughJson(runSchema, run)).toEqual(run);
  });

  it('from before a setting was there gets its default', () => {
    const run = finishedRun();
    const { seed: _, ...settings } = run.settings;
    expect(v.parse(runSchema, { ...run, settings })).toEqual(run);
  });

  it.each(['..', '../victim', '.hidden', 'a/b', String.raw`a\b`, '', 'a'.repeat(256)])(
    'is never called %j',
    (id) => {
      expect(v.safeParse(runId, id).success).toBe(false);
      expect(v.safeParse(runSchema, finishedRun({ id })).success).toBe(false);
    },
  );
});
