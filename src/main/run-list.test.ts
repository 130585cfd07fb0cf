import * as v from 'valibot';
import { expect, test, vi } from 'vitest';
import { jobSettings } from '../schema/settings.js';
import type { RunSummary } from '../schema/runs.js';
import { Events } from './events.js';
import { RunList } from './run-list.js';

const run = (id: string, status: RunSummary['status']): RunSummary => ({
  id,
  created: '2026-01-01T00:00:00.000Z',
  status,
  modelName: 'm',
  datasetName: 'd',
  settings: v.parse(jobSettings, { model: '/m', dataset: '/d' }),
  resumable: false,
  curve: [],
});

function listOf(runs: RunSummary[], activeRun?: string) {
  const toPage = vi.fn<Events['emit']>();
  const events = new Events(toPage);
  const desk = { ask: () => Promise.resolve(runs) };
  return { list: new RunList(desk as never, { activeRun }, events), events, toPage };
}

test('a run whose process died while it was going on is shown as stopped, and can go on', async () => {
  const { list } = listOf([run('dead', 'running'), run('done', 'finished')], 'another');
  expect(await list.read()).toMatchObject([
    { id: 'dead', status: 'stopped', resumable: true },
    { id: 'done', status: 'finished', resumable: false },
  ]);
});

test('the run that is going on cannot be resumed, whatever lies on disk', async () => {
  const { list } = listOf([{ ...run('now', 'stopped'), resumable: true }], 'now');
  expect(await list.read()).toMatchObject([{ status: 'running', resumable: false }]);
});

test('the page hears of the list whenever the job’s state changes', async () => {
  const { list, events, toPage } = listOf([run('a', 'finished')]);
  list.follow({ write: vi.fn() } as never);
  events.emit('job.changed', {} as never);
  await vi.waitFor(() => expect(toPage).toHaveBeenCalledWith('runs.changed', [run('a', 'finished')]), 20_000);
});
