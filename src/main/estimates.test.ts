import { describe, expect, test } from 'vitest';
import type { CheckedInput } from '../shared/contract.js';
import { Estimates } from './estimates.js';

const settings = { model: 'model', dataset: 'dataset' } as unknown as CheckedInput<'job.estimate'>;

function estimatesOf({ isBusy = false } = {}) {
  const pending: { answer: (value: never) => void; refuse: (error: Error) => void }[] = [];
  let ended = 0;
  const engine = {
    ask: () => new Promise<never>((answer, refuse) => pending.push({ answer, refuse })),
    end() {
      ended += 1;
      for (const { refuse } of pending.splice(0)) refuse(new Error('cancelled'));
    },
  };
  return { estimates: new Estimates(engine, { isBusy }), pending, ended: () => ended };
}

describe('an estimate', () => {
  test('ends when another one is asked for, and the newer is answered', async () => {
    const { estimates, pending, ended } = estimatesOf();
    const older = estimates.ask(settings);
    const newer = estimates.ask(settings);
    await expect(older).rejects.toThrow('cancelled');
    pending[0]!.answer('newer' as never);
    expect(await newer).toBe('newer');
    expect(ended()).toBe(1);
  });

  test('that is there leaves the process alone', async () => {
    const { estimates, pending, ended } = estimatesOf();
    const asked = estimates.ask(settings);
    pending[0]!.answer('there' as never);
    await asked;
    estimates.stop();
    expect(ended()).toBe(0);
  });

  test('has to wait while a job runs', async () => {
    const { estimates } = estimatesOf({ isBusy: true });
    await expect(estimates.ask(settings)).rejects.toThrow('A run is under way');
  });
});
