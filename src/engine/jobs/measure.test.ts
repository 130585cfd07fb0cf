/** Jobs that measure what a model costs, on a small one without a tokenizer. */
import path from 'node:path';
import { expect, it } from 'vitest';
import { decoderStyles } from '../../../test/graphs/build-decoder.js';
import { writeLargeDecoder } from '../../../test/graphs/large-decoder.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { UserError } from '../../schema/errors.js';
import type { JobEvent } from '../../schema/events.js';
import { TimedModel } from '../evaluate/speed/timed-model.js';
import { RunStore } from '../runs/run-store.js';
import { jobContext } from './context.js';
import { measureBlocks } from './measure-blocks.js';
import { measureModels } from './measure-models.js';
import { measureStep } from './measure-step.js';

const events: JobEvent[] = [];
const cache = temporaryFolder();
const context = jobContext({
  store: new RunStore(path.join(cache, 'runs')),
  cache,
  device: { provider: 'cpu', threads: 1 },
  on: (event) => events.push(event),
  // Unbuilt code has no file to start a process from.
  startTiming: async () => {
    const model = new TimedModel();
    return { ask: (request) => model.answer(request), end: () => {} };
  },
});
const model = { model: path.join(cache, 'model') };
writeLargeDecoder(model.model, decoderStyles[0]!, { layers: 3, vocabulary: 31 });

const rows = [0, 1].map((row) => ({
  ids: Array.from({ length: 9 }, (_, token) => (row * 13 + token * 7) % 31),
  responseStart: 4,
}));

it('times a gradient step, whose loss is the same whole and in segments', async () => {
  events.length = 0;
  const request = { model, rows, scales: 'channel', steps: 1 } as const;
  const whole = await measureStep(request, context);
  expect(whole.seconds).toBeGreaterThan(0);
  expect(whole.peakBytes).toBeGreaterThan(10e6);
  expect(events.at(-1)).toEqual({ type: 'round', done: 3, total: 3 });
  for (const inTurn of [false, true]) {
    const { loss } = await measureStep({ ...request, segments: { count: 2, inTurn } }, context);
    expect(loss).toBeCloseTo(whole.loss, 4);
  }
});

it('says how many segments a model can be run in', async () => {
  const request = { model, rows, scales: 'channel', steps: 1 } as const;
  const measured = measureStep({ ...request, segments: { count: 4, inTurn: false } }, context);
  await expect(measured).rejects.toThrow(
    new UserError('The model has 3 layers; it can be run in 1 to 3 segments.'),
  );
});

it('measures models without a task', async () => {
  const file = { model: path.join(model.model, 'model.onnx') };
  const figures = await measureModels(
    { models: [model, file], prompts: [rows[0]!.ids], newTokens: 3, rounds: 2 },
    context,
  );
  expect(figures).toHaveLength(2);
  for (const { rounds, promptTokensPerSecond, newTokensPerSecond } of figures!) {
    expect(rounds).toBe(2);
    expect(promptTokensPerSecond).toBeGreaterThan(0);
    expect(newTokensPerSecond).toBeGreaterThan(0);
  }
});

it('tells what part of the time each block takes, all of them together most of it', async () => {
  const { prompt, newTokens } = await measureBlocks(
    { model, prompt: rows[0]!.ids, newTokens: 3, rounds: 2 },
    context,
  );
  for (const shares of [prompt, newTokens]) {
    expect(Object.keys(shares)).toHaveLength(6);
    const values = Object.values(shares);
    expect(Math.min(...values)).toBeGreaterThan(0);
    const sum = values.reduce((total, share) => total + share, 0);
    expect(sum).toBeGreaterThan(0.5);
    expect(sum).toBeLessThan(1);
  }
});
