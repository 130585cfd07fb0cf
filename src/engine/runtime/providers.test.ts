import type { Provider } from '../../schema/settings.js';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../schema/errors.js';
import {
  bundledProviders,
  chooseProvider,
  forgetAutomaticChoice,
  secondsOfProducts,
  tryProvider,
  type ProviderSource,
} from './providers.js';

/** A machine where these providers are there; those with a reason do not start, and those in `slow` take 10 s. */
function machine(
  providers: Partial<Record<Provider, string | undefined>>,
  slow: readonly Provider[] = [],
): ProviderSource {
  return {
    bundled: () => ['cpu', ...(Object.keys(providers) as Provider[])],
    attempt: async (provider) => providers[provider],
    seconds: async (provider) => (slow.includes(provider) ? 10 : provider === 'cpu' ? 0.02 : 0.002),
  };
}

describe('automatic choice', () => {
  it('takes the first provider that starts, those made for the card before WebGPU', async () => {
    expect(await chooseProvider('auto', machine({ webgpu: undefined, cuda: undefined }))).toEqual({
      provider: 'cuda',
      reason: 'Runs on CUDA, the first choice here.',
    });
  });

  it('says why an earlier one was passed over', async () => {
    expect(await chooseProvider('auto', machine({ webgpu: undefined, cuda: 'no driver' }))).toEqual({
      provider: 'webgpu',
      reason: 'Runs on WebGPU: CUDA does not start (no driver).',
    });
  });

  it('passes over one that starts and is slower than the CPU', async () => {
    expect(await chooseProvider('auto', machine({ webgpu: undefined }, ['webgpu']))).toEqual({
      provider: 'cpu',
      reason:
        'Runs on the CPU: WebGPU is slower than the CPU here (10000 ms against 20 ms for some matrix products).',
    });
  });

  it('falls back to the CPU with one sentence about all that were tried', async () => {
    expect(await chooseProvider('auto', machine({ webgpu: 'no adapter', dml: 'no card' }))).toEqual({
      provider: 'cpu',
      reason: 'Runs on the CPU: DirectML does not start (no card), WebGPU does not start (no adapter).',
    });
    expect(await chooseProvider('auto', machine({}))).toEqual({
      provider: 'cpu',
      reason: 'Runs on the CPU: onnxruntime brings no other execution provider for this system.',
    });
  });
});

describe('a provider asked for by name', () => {
  it('is taken if it starts', async () => {
    const { provider } = await chooseProvider('coreml', machine({ webgpu: undefined, coreml: undefined }));
    expect(provider).toBe('coreml');
  });

  it('is refused in one sentence if it does not start', async () => {
    await expect(chooseProvider('webgpu', machine({ webgpu: 'no adapter' }))).rejects.toThrow(
      new UserError(
        "The execution provider webgpu does not start on this machine (no adapter); choose 'cpu', or 'auto' for the first one that does.",
      ),
    );
  });

  it('is refused with those there are if onnxruntime does not have it', async () => {
    await expect(chooseProvider('dml', machine({ webgpu: undefined }))).rejects.toThrow(
      new UserError('onnxruntime has no execution provider dml for this system; there are cpu, webgpu.'),
    );
  });
});

describe('on this machine', () => {
  it('the CPU starts', async () => {
    expect(bundledProviders()[0]).toBe('cpu');
    expect(await tryProvider('cpu')).toBeUndefined();
  });

  it('the automatic choice is made once, and again after a failure', async () => {
    const choice = await chooseProvider('auto');
    expect(await chooseProvider('auto')).toBe(choice);
    forgetAutomaticChoice();
    expect(await chooseProvider('auto')).not.toBe(choice);
  }, 100_000);

  it('products take time on the CPU', async () => {
    expect(await secondsOfProducts('cpu')).toBeGreaterThan(0);
  });

  it('a provider of another system says so instead of running on the CPU', async () => {
    const absent = process.platform === 'darwin' ? 'dml' : 'coreml';
    expect(await tryProvider(absent)).toBe('onnxruntime does not have it on this system');
  });
});
