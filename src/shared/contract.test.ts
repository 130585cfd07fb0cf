import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { events, requests, type EventName, type RequestName } from './contract.js';

const accepts = (name: RequestName, input: unknown) => v.safeParse(requests[name].input, input).success;
const acceptsEvent = (name: EventName, payload: unknown) => v.safeParse(events[name], payload).success;

describe('requests', () => {
  test('every one has a schema for its input and for its answer', () => {
    for (const { input, output } of Object.values(requests)) {
      expect(input).toHaveProperty('~standard');
      expect(output).toHaveProperty('~standard');
    }
  });

  test('names of runs are never paths', () => {
    for (const run of ['..', '.hidden', 'a/b', String.raw`a\b`, '', 'a'.repeat(300)]) {
      expect(accepts('runs.show', { run })).toBe(false);
    }
    expect(accepts('runs.show', { run: '20260101-120000-SmolLM2-135M-gsm8k-2' })).toBe(true);
  });

  test('a job needs a model and a dataset; the rest has defaults', () => {
    expect(accepts('job.start', { model: '/m', dataset: '/d' })).toBe(true);
    expect(accepts('job.start', { model: '/m' })).toBe(false);
    expect(accepts('job.start', { model: '/m', dataset: '/d', budget: { kind: 'blocks', blocks: 0 } })).toBe(
      false,
    );
    expect(
      accepts('job.start', { model: '/m', dataset: '/d', budget: { kind: 'quality', largestDrop: 2 } }),
    ).toBe(false);
    expect(accepts('job.start', { model: '/m', dataset: '/d', provider: 'quantum' })).toBe(false);
  });

  test('requests without input take none', () => {
    expect(accepts('job.stop', undefined)).toBe(true);
    expect(accepts('job.stop', { run: 'x' })).toBe(false);
  });
});

describe('events', () => {
  test('of a job', () => {
    const tried = {
      type: 'candidate-tried',
      round: 0,
      block: 'attention 3',
      index: 3,
      candidates: 12,
      loss: 0.1,
    };
    expect(acceptsEvent('job.event', { run: 'r', event: tried })).toBe(true);
    expect(acceptsEvent('job.event', { run: 'r', event: { ...tried, block: 'attention three' } })).toBe(
      false,
    );
    expect(acceptsEvent('job.event', { run: 'r', event: { type: 'party' } })).toBe(false);
  });
});
