import { describe, expect, test, vi } from 'vitest';
import type { ComparisonSummary } from '../schema/comparison.js';
import { ComparisonTracker } from './comparison-tracker.js';
import type { Emit } from './events.js';

const kept: ComparisonSummary = {
  id: 'a-list',
  created: '2026-01-01T00:00:00.000Z',
  status: 'stopped',
  settings: {
    models: [
      { kind: 'model', model: '/a' },
      { kind: 'model', model: '/b' },
    ],
    prompts: { from: 'file', file: '/prompts.txt' },
    maxNewTokens: 16,
    seed: 0,
  },
  names: ['a', 'b'],
  source: 'prompts.txt',
  prompts: 3,
  done: 0,
  total: 6,
  interrupted: false,
};

function tracker(list: ComparisonSummary[] = [kept]) {
  const told: unknown[] = [];
  const emit: Emit = (name, payload) => {
    if (name === 'comparisons.changed') told.push(payload);
  };
  const worker = {
    ask: vi.fn(() => Promise.resolve({ ...kept, status: 'running' })),
    end: vi.fn<() => void>(),
  };
  const desk = { ask: vi.fn(() => Promise.resolve(list)) };
  return { comparisons: new ComparisonTracker(worker as never, desk as never, emit), worker, told };
}

describe('ComparisonTracker', () => {
  test('one that has been begun is told as going on, though what is kept does not say so yet', async () => {
    const { comparisons, told } = tracker();
    await comparisons.start(kept.settings as never);
    await vi.waitFor(() => expect(told).toHaveLength(1), 20_000);
    expect(told[0]).toMatchObject([{ id: 'a-list', status: 'running' }]);
  });

  test('the same where it had failed before and goes on', async () => {
    const { comparisons } = tracker([{ ...kept, status: 'failed', error: 'The disk is full.' }]);
    await comparisons.resume('a-list');
    expect(await comparisons.list()).toMatchObject([{ status: 'running', error: undefined }]);
  });

  test('one that has ended is told as it is kept, and its process gives its memory back', async () => {
    const { comparisons, worker, told } = tracker();
    await comparisons.start(kept.settings as never);
    await comparisons.onEnded({ id: 'a-list' });
    expect(worker.end).toHaveBeenCalledOnce();
    expect(told.at(-1)).toMatchObject([{ status: 'stopped' }]);
  });

  test('no second one meanwhile', async () => {
    const { comparisons } = tracker();
    await comparisons.start(kept.settings as never);
    await expect(comparisons.resume('a-list')).rejects.toThrow(/going on/);
  });
});
