/** The machine stays awake only while a job computes, and only if the user allows. */
import { beforeEach, expect, test, vi } from 'vitest';
import type { JobState } from '../shared/job.js';
import { idleJob } from '../shared/job-state.js';
import { Events } from './events.js';
import { JobAttention } from './job-attention.js';

const awake = vi.hoisted(() => new Set<number>());
vi.mock('electron', () => ({
  app: {},
  Notification: {},
  powerSaveBlocker: {
    start: (kind: string) => {
      expect(kind).toBe('prevent-app-suspension');
      awake.add(awake.size + 1);
      return awake.size;
    },
    stop: (id: number) => awake.delete(id),
  },
}));

const settings = { keepAwake: true };
let events: Events;
const job = (status: JobState['status']) => events.emit('job.changed', { ...idleJob(), status });
const allow = (keepAwake: boolean) => {
  settings.keepAwake = keepAwake;
  events.emit('settings.changed', settings as never);
};

beforeEach(() => {
  awake.clear();
  settings.keepAwake = true;
  events = new Events(() => {});
  new JobAttention({} as never, { settings } as never).follow(events);
});

test.each(['finished', 'failed', 'stopped', 'crashed'] as const)('until the job has %s', (end) => {
  for (const status of ['starting', 'running', 'stopping'] as const) {
    job(status);
    expect(awake.size).toBe(1);
  }
  job(end);
  expect(awake.size).toBe(0);
});

test('not at all where the user does not want it; a change counts at once', () => {
  allow(false);
  job('running');
  expect(awake.size).toBe(0);
  allow(true);
  expect(awake.size).toBe(1);
  allow(false);
  expect(awake.size).toBe(0);
});
