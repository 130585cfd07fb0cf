import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { ENGINE_EVENTS, ENGINE_REQUESTS, fromEngine, toEngine } from './engine-messages.js';
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

  test('those that the engine answers and the events that it sends are of the contract, each named once', () => {
    for (const [names, all] of [
      [ENGINE_REQUESTS, requests],
      [ENGINE_EVENTS, events],
    ] as const) {
      expect(new Set(names).size).toBe(names.length);
      for (const name of names) expect(all).toHaveProperty([name]);
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
    expect(accepts('job.start', { model: '/m', dataset: '/d', budget: { kind: 'blocks', blocks: -1 } })).toBe(
      false,
    );
    expect(
      accepts('job.start', { model: '/m', dataset: '/d', budget: { kind: 'quality', largestDrop: 2 } }),
    ).toBe(false);
    expect(accepts('job.start', { model: '/m', dataset: '/d', provider: 'quantum' })).toBe(false);
  });

  test.each([
    ['task.open', { model: '/m', dataset: '/d' }, { previewRows: 20 }],
    ['compare.ask', { run: 'r', blocks: 2, ticket: 't', prompt: 'p' }, { maxNewTokens: 256, seed: 0 }],
    [
      'export.preview',
      { run: 'r', blocks: 2, parent: '/p', name: ' slim ' },
      { mode: 'folded', name: 'slim' },
    ],
    [
      'job.start',
      { model: '/m', dataset: '/d' },
      { provider: 'auto', strategy: 'contest', heldoutTokens: 8000 },
    ],
  ] as const)('%s fills in what is left out', (name, input, filled) => {
    expect(v.parse(requests[name].input as v.GenericSchema, input)).toEqual(
      expect.objectContaining({ ...input, ...filled }),
    );
  });

  test('a job of the page is not told what the page does not choose', () => {
    const sent = { model: '/m', dataset: '/d', output: '/elsewhere', speedRounds: 9 };
    const asked = v.parse(requests['job.start'].input, sent);
    expect(asked).not.toHaveProperty('output');
    expect(asked).not.toHaveProperty('speedRounds');
  });

  test.each<[RequestName, unknown]>([
    ['task.open', { model: '/m', dataset: '/d', previewRows: 1000 }],
    ['task.paste', { text: '' }],
    ['compare.ask', { run: 'r', blocks: 1, ticket: 'a b', prompt: 'p' }],
    ['compare.ask', { run: 'r', blocks: 1, ticket: 't', prompt: '' }],
    ['compare.ask', { run: 'r', blocks: 1, ticket: 't', prompt: 'p', temperature: 0 }],
    ['export.write', { run: 'r', blocks: 1, parent: '/p', name: '   ' }],
    ['runs.rename', { run: 'r', title: 'x'.repeat(201) }],
    ['app.openFolder', { folder: '/etc' }],
    ['settings.set', { appearance: 'pink' }],
    ['model.open', {}],
  ])('%s refuses %j', (name, input) => expect(accepts(name, input)).toBe(false));

  test('requests without input take none', () => {
    expect(accepts('job.stop', undefined)).toBe(true);
    expect(accepts('job.stop', { run: 'x' })).toBe(false);
  });
});

describe('events', () => {
  test('every one has a schema', () => {
    for (const event of Object.values(events)) expect(event).toHaveProperty('~standard');
  });

  test('of a measurement end in a count, of an answer in seconds of one model', () => {
    expect(acceptsEvent('compare.progress', { ticket: 't', what: 'speed', done: 1, total: 4 })).toBe(true);
    expect(acceptsEvent('compare.progress', { ticket: 't', what: 'speed', done: -1, total: 4 })).toBe(false);
    const token = { ticket: 't', side: 'slimmed', text: 'a', tokens: 1, seconds: 0 };
    expect(acceptsEvent('compare.token', token)).toBe(true);
    expect(acceptsEvent('compare.token', { ...token, side: 'left' })).toBe(false);
  });

  test('of a job', () => {
    const tried = { type: 'candidate-tried', round: 0, block: 'attention 3', loss: 0.1 };
    expect(acceptsEvent('job.event', { run: 'r', event: tried })).toBe(true);
    expect(acceptsEvent('job.event', { run: 'r', event: { ...tried, block: 'attention three' } })).toBe(
      false,
    );
    expect(acceptsEvent('job.event', { run: 'r', event: { type: 'party' } })).toBe(false);
  });
});

describe('messages between main and engine', () => {
  const fits = (schema: v.GenericSchema, message: unknown) => v.safeParse(schema, message).success;

  test('carry requests that the engine answers, none that main does', () => {
    expect(fits(toEngine, { type: 'request', id: 1, name: 'model.open', input: { model: '/m' } })).toBe(true);
    expect(fits(toEngine, { type: 'request', id: 1, name: 'settings.set', input: {} })).toBe(false);
    expect(fits(toEngine, { type: 'eval', id: 1, code: '' })).toBe(false);
  });

  test('a reply either has a value or says why there is none', () => {
    const reply = (given: object) => fits(fromEngine, { type: 'reply', id: 1, reply: given });
    expect(reply({ ok: true, value: [] })).toBe(true);
    expect(reply({ ok: false, failure: { kind: 'user', message: 'Choose another folder.' } })).toBe(true);
    expect(reply({ ok: false, failure: { kind: 'mood', message: '' } })).toBe(false);
    expect(reply({ value: [] })).toBe(false);
  });
});
