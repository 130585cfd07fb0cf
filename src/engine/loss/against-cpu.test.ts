import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { ProviderFailure } from '../../schema/errors.js';
import type { Decoder } from '../decoder/decoder.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { holdAgainstCpu } from './against-cpu.js';
import { openGradientModel } from './open-gradient-model.js';

/** Longer than any step of so small a model takes. */
const LONG = 400;

const settings = { skipped: [], granularity: 'scalar' } as const;
const automatic = { ...settings, runOptions: { provider: 'webgpu', mustPay: true } } as const;
const byName = { ...settings, runOptions: { provider: 'webgpu' } } as const;

/** What the CPU computes, so many milliseconds later, and how often it was asked. */
async function device(decoder: Decoder, delay: number) {
  const model = await openGradientModel(decoder, settings);
  const asked = { runs: 0 };
  const run = model.run.bind(model);
  model.run = async (...args) => {
    asked.runs += 1;
    const result = await run(...args);
    await new Promise((resolve) => setTimeout(resolve, delay));
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
      /a gradient step of this model takes \d+ ms on it and \d+ ms on the CPU/,
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
