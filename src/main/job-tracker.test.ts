import * as v from 'valibot';
import { jobSettings } from '../schema/settings.js';
import { jobRequest } from '../shared/job-settings.js';
import type { RunSummary } from '../schema/runs.js';
import { describe, expect, test, vi } from 'vitest';
import type { Emit } from './events.js';
import { JobTracker } from './job-tracker.js';
import { CRASHED } from './engine-host/engine-host.js';
import { PassedFailure } from '../shared/router.js';

const run: RunSummary = {
  id: 'a-run',
  created: '2026-01-01T00:00:00.000Z',
  status: 'running',
  modelName: 'm',
  datasetName: 'd',
  settings: v.parse(jobSettings, { model: '/m', dataset: '/d' }),
  resumable: false,
  curve: [],
};

function tracker(ask: () => Promise<unknown> = () => Promise.resolve(run)) {
  const emitted: [string, unknown][] = [];
  const emit: Emit = (name, payload) => emitted.push([name, payload]);
  const engine = { ask: vi.fn(ask), end: vi.fn<() => void>() };
  return { jobs: new JobTracker(engine as never, emit, () => 1000), engine, emitted };
}

const settings = v.parse(jobRequest, { model: '/m', dataset: '/d' });

describe('JobTracker', () => {
  test('a job from its start to its end', async () => {
    const { jobs, emitted, engine } = tracker();
    await jobs.start(settings);
    expect(jobs.state).toMatchObject({ status: 'running', startedAt: 1000 });
    expect(jobs.activeRun).toBe('a-run');
    jobs.onEvent({ run: 'a-run', event: { type: 'stage', stage: 'calibrating' } });
    jobs.onEvent({ run: 'another', event: { type: 'stage', stage: 'exporting' } });
    expect(jobs.state.stage).toBe('calibrating');
    const finished = { ...run, status: 'finished' as const };
    jobs.onFinished({ run: finished, report: {} as never });
    expect(jobs.state).toMatchObject({ status: 'finished', run: finished });
    expect(engine.end).toHaveBeenCalledOnce();
    expect(emitted.map(([name]) => name)).toEqual([
      'job.changed',
      'job.changed',
      'job.event',
      'job.finished',
      'job.changed',
    ]);
  });

  test('points are trained one after the other, and more are added meanwhile', async () => {
    const { jobs, engine } = tracker();
    await jobs.train('a-run', [4, 2]);
    await jobs.train('a-run', [2, 5]);
    expect(jobs.state.queued).toEqual([4, 2, 5]);
    expect(engine.ask).toHaveBeenLastCalledWith('job.train', { run: 'a-run', blocks: [2, 5] });
    const point = { skipped: ['attention 1', 'attention 2', 'attention 3', 'attention 4'] };
    jobs.onEvent({ run: 'a-run', event: { type: 'point', point: point as never } });
    expect(jobs.state.queued).toEqual([2, 5]);
    await expect(jobs.train('another', [1])).rejects.toThrow('A job is running');
  });

  test('only one job at a time', async () => {
    const { jobs } = tracker();
    await jobs.start(settings);
    await expect(jobs.start(settings)).rejects.toThrow('A job is running');
  });

  test('is stopped where the user asked for that', async () => {
    const { jobs, engine } = tracker();
    await jobs.start(settings);
    await jobs.stop();
    expect(jobs.state.status).toBe('stopping');
    expect(engine.ask).toHaveBeenLastCalledWith('job.stop', undefined);
    const idle = jobs.whenIdle();
    jobs.onStopped();
    await idle;
    expect(jobs.state.status).toBe('stopped');
    expect(jobs.activeRun).toBeUndefined();
  });

  test('a crash during the job is told with its run, and another job can start', async () => {
    const { jobs, emitted } = tracker();
    await jobs.start(settings);
    jobs.onCrash();
    expect(jobs.state.status).toBe('crashed');
    expect(emitted).toContainEqual([
      'engine.crashed',
      { message: expect.any(String) as string, run: 'a-run' },
    ]);
    await jobs.resume('a-run');
    expect(jobs.state.status).toBe('running');
  });

  test('a job that the engine refuses leaves everything as it was', async () => {
    const refusal = new PassedFailure({ kind: 'user', message: 'There is no dataset.' });
    const { jobs } = tracker(() => Promise.reject(refusal));
    await expect(jobs.start(settings)).rejects.toBe(refusal);
    expect(jobs.state.status).toBe('idle');
  });

  test('a crash while the job starts', async () => {
    const { jobs } = tracker(() => {
      jobs.onCrash();
      return Promise.reject(new PassedFailure(CRASHED));
    });
    await expect(jobs.start(settings)).rejects.toThrow(CRASHED.message);
    expect(jobs.state.status).toBe('crashed');
  });
});
