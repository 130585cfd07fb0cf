import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { jobChoices, jobSettings } from './settings.js';

const parse = (given: object) => v.safeParse(jobSettings, { model: '/m', dataset: '/d', ...given });
const defaults = v.parse(jobSettings, { model: '/m', dataset: '/d' });

describe('settings of a job', () => {
  it('are complete once model and dataset are named', () => {
    expect(defaults).toMatchObject({
      budget: { kind: 'blocks', blocks: 4 },
      kind: 'attention',
      strategy: 'contest',
      scales: 'channel+gain',
      responses: 'own',
      provider: 'cpu',
    });
    expect(parse({ model: undefined }).success).toBe(false);
    expect(parse({ dataset: '' }).success).toBe(false);
  });

  it('say nothing of what has no default: no columns, threads, limit of memory, output', () => {
    for (const name of ['columns', 'threads', 'memory', 'output', 'calibrationRange', 'modelFile'])
      expect(defaults).not.toHaveProperty(name);
    expect(defaults.training).toEqual({});
  });

  it('stay as they are when they are read again', () => {
    expect(v.parse(jobSettings, JSON.parse(JSON.stringify(defaults)))).toEqual(defaults);
  });

  it('offer each choice of a user with the same bounds and without a default', () => {
    expect(v.parse(jobChoices, {})).toEqual({});
    for (const name of Object.keys(jobChoices.entries)) expect(jobSettings.entries).toHaveProperty(name);
  });

  it.each<[string, object]>([
    ['a budget of less than nothing', { budget: { kind: 'blocks', blocks: -1 } }],
    ['half a block', { budget: { kind: 'blocks', blocks: 1.5 } }],
    ['a loss above all', { budget: { kind: 'quality', largestDrop: 1.1 } }],
    ['a budget of neither kind', { budget: { kind: 'time', seconds: 3 } }],
    ['rows without room for an answer', { maxTokens: 1 }],
    ['no rows', { calibrationRows: 0 }],
    ['a decay of 1', { training: { beta2: 1 } }],
    ['a negative pull', { training: { pull: -0.1 } }],
    ['a provider that there is not', { provider: 'quantum' }],
    ['no memory', { memory: 0 }],
    ['columns as long as a book', { columns: 'x'.repeat(2001) }],
  ])('refuse %s', (_, given) => expect(parse(given).success).toBe(false));

  it('allow what zero switches off', () => {
    const off = { answerRows: 0, speedRounds: 0, training: { restarts: 0, distillation: 0, pull: 0 } };
    expect(parse(off).success).toBe(true);
  });
});
