import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { ProviderFailure } from '../../schema/errors.js';
import type { Decoder } from '../decoder/decoder.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { holdAgainstCpu } from './against-cpu.js';
import { openGradientModel } from './open-gradient-model.js';

/** Milliseconds of a clock that goes on in steps of devices alone. */
const LONG = 400;
let clock = 0;
beforeEach(() => {
  vi.spyOn(performance, 'now').mockImplementation(() => clock);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const settings = { skipped: [], granularity: 'scalar' } as const;
const automatic = { ...settings, runOptions: { provider: 'webgpu', mustPay: true } } as const;
const byName = { ...settings, runOptions: { provider: 'webgpu' } } as const;

/** What the CPU computes, in so many milliseconds, and how often it was asked. */
async function device(decoder: Decoder, delay: number) {
  const model = await openGradientModel(decoder, settings);
  const asked = { runs: 0 };
  const run = model.run.bind(model);
  model.run = async (...args) => {
    asked.runs += 1;
    const result = await run(...args);
    clock += delay;
    return result;
  };
  return { model, asked };
}

function small(): Decoder {
  return readDecoder(buildDecoder(decoderStyles[0]!));
}

describe('a device with the right gradients', () => {
  it('is refused where it was chosen automatically and a step takes it longer than the CPU', async () => {
    const decoder = small();
    const { model } = await device(decoder, LONG);
    const onCpu = () => openGradientModel(decoder, settings);
    const refused = holdAgainstCpu(model, decoder, automatic, onCpu);
    await expect(refused).rejects.toThrow(ProviderFailure);
    await expect(refused).rejects.toThrow(
      /a gradient step of this model takes 400 ms on it and 0 ms on the CPU/,
    );
  });

  it('is taken where it was asked for by name, however long it takes', async () => {
    const decoder = small();
    const { model } = await device(decoder, LONG);
    await holdAgainstCpu(model, decoder, byName, () => openGradientModel(decoder, settings));
  });

  it('is taken where it is sooner, and timed once a model', async () => {
    const decoder = small();
    const { model, asked } = await device(decoder, 0);
    const onCpu = async () => (await device(decoder, LONG)).model;
    await holdAgainstCpu(model, decoder, automatic, onCpu);
    const before = asked.runs;
    await holdAgainstCpu(model, decoder, automatic, onCpu);
    expect(before).toBeGreaterThan(2);
    expect(asked.runs - before).toBe(1);
  });
});
