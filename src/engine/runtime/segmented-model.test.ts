/** A decoder in segments runs like one session, and holds no more than one segment's weights where asked to. */
import { InferenceSession } from 'onnxruntime-node';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { lossBatchOf } from '../../../test/support/random-scales.js';
import { segmentsOf } from '../../../test/support/segments.js';
import { openForwardModel } from '../loss/forward-model.js';
import { openGradientModel } from '../loss/open-gradient-model.js';
import type { Decoder } from '../decoder/decoder.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { Generator } from '../generate/generator.js';

const styles = new Map(decoderStyles.map((style) => [style.name, style]));
const decoderOf = (style: string) => readDecoder(buildDecoder(styles.get(style)!, { layers: 4 }));
const options = { skipped: [], granularity: 'scalar' } as const;

afterEach(() => void vi.restoreAllMocks());

describe('a decoder whose segments are loaded in turn', () => {
  it('never has two segments open, whatever is run', async () => {
    const sessions = watchSessions();
    const decoder = decoderOf('qwen2');
    const runOptions = { segments: segmentsOf(decoder, 'all', true) };
    const batch = lossBatchOf(decoder);
    const gradient = await openGradientModel(decoder, { ...options, runOptions });
    const forward = await openForwardModel(decoder, { ...options, runOptions });
    const generator = await Generator.open(decoder, runOptions);
    await gradient.run(batch, new Map());
    await forward.run(batch, new Map());
    await generator.generate([[1, 2, 3]], { maxNewTokens: 2, stopTokens: new Set() });
    await gradient.run(batch, new Map());
    expect(sessions.mostOpen).toBe(1);
    for (const model of [gradient, forward, generator]) await model.release();
    expect(sessions.open).toBe(0);
  });

  it('has each segment loaded once for many batches', async () => {
    const decoder = decoderOf('llama');
    const runOptions = { segments: segmentsOf(decoder, 'all', true) };
    const forward = await openForwardModel(decoder, { ...options, runOptions });
    const batches = [0, 1, 2, 3, 4].map((seed) => lossBatchOf(decoder, seed));
    const sessions = watchSessions();
    const losses: number[] = [];
    for await (const { loss } of forward.runEach(batches.map((batch) => ({ batch, scales: new Map() })))) {
      losses.push(loss);
    }
    expect(sessions.opened).toBe(5);
    const alone: number[] = [];
    for (const batch of batches) alone.push((await forward.run(batch, new Map())).loss);
    expect(losses).toEqual(alone);
    expect(sessions.opened).toBe(5 + 5 * 5);
    await forward.release();
  });

  it('has each segment loaded once each way for many gradients', async () => {
    const decoder = decoderOf('llama');
    const runOptions = { segments: segmentsOf(decoder, 'all', true) };
    const model = await openGradientModel(decoder, { ...options, runOptions });
    const runs = [0, 1, 2].map((seed) => ({ batch: lossBatchOf(decoder, seed), scales: new Map() }));
    const sessions = watchSessions();
    const together: unknown[] = [];
    for await (const result of model.runEach(runs)) together.push(result);
    // Four layers and, in the gradient alone, the head.
    expect(sessions.opened).toBe(4 + 5);
    const alone: unknown[] = [];
    for (const { batch, scales } of runs) alone.push(await model.run(batch, scales));
    expect(together).toEqual(alone);
    expect(sessions.opened).toBeGreaterThan(2 * (4 + 5));
    await model.release();
  });

  it('keeps no more of the stream than allowed, and loads segments again instead', async () => {
    const decoder = decoderOf('llama');
    const segments = { ...segmentsOf(decoder, 'all', true), keptBytes: 1 };
    const forward = await openForwardModel(decoder, { ...options, runOptions: { segments } });
    const sessions = watchSessions();
    const runs = [0, 1].map((seed) => ({ batch: lossBatchOf(decoder, seed), scales: new Map() }));
    for await (const { loss } of forward.runEach(runs)) expect(loss).toBeGreaterThan(0);
    expect(sessions.opened).toBe(2 * 5);
    await forward.release();
  });
});

describe('text generated in segments', () => {
  it.each(['llama', 'qwen2', 'gpt2', 'bloom', 'phi'])('is that of the whole model (%s)', async (style) => {
    const decoder = decoderOf(style);
    const whole = await generate(decoder, undefined);
    expect(await generate(decoder, segmentsOf(decoder, 2, false))).toEqual(whole);
    expect(await generate(decoder, segmentsOf(decoder, 'all', true))).toEqual(whole);
  });
});

async function generate(decoder: Decoder, segments: ReturnType<typeof segmentsOf> | undefined) {
  const generator = await Generator.open(decoder, segments ? { segments } : {});
  const prompts = [
    [1, 2, 3],
    [4, 5, 6, 7],
  ];
  const results = await generator.generate(prompts, { maxNewTokens: 6, stopTokens: new Set() });
  await generator.release();
  return results;
}

/** Counts the sessions that onnxruntime opens and releases from now on. */
function watchSessions(): { open: number; opened: number; mostOpen: number } {
  const counts = { open: 0, opened: 0, mostOpen: 0 };
  const create = InferenceSession.create.bind(InferenceSession) as (
    ...args: unknown[]
  ) => Promise<InferenceSession>;
  vi.spyOn(InferenceSession, 'create').mockImplementation(async (...args: unknown[]) => {
    const session = await create(...args);
    counts.opened += 1;
    counts.open += 1;
    counts.mostOpen = Math.max(counts.mostOpen, counts.open);
    const release = session.release.bind(session);
    session.release = async () => {
      counts.open -= 1;
      await release();
    };
    return session;
  });
  return counts;
}
