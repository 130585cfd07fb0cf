/** Which execution provider a job runs on, and what follows where one fails. */
import { ProviderFailure, type UserError } from '../../../schema/errors.js';
import type { Run } from '../../../schema/runs.js';
import { chooseProvider, displayName, forgetAutomaticChoice } from '../../runtime/providers.js';
import type { RunOptions } from '../../runtime/session.js';
import type { Device, JobContext } from '../context.js';

/**
 * Does work on the provider that is asked for; where that is 'auto' and the one that started fails or does not pay, on the
 * CPU.
 * @param onChoice told in one sentence which provider it is and why, where another one than the CPU is asked for
 * @throws UserError if a provider that is asked for by name does not start; ProviderFailure if it fails
 */
export async function onDevice<T>(
  device: Device,
  work: (runOptions: RunOptions) => Promise<T>,
  onChoice?: (reason: string) => void,
): Promise<T> {
  const { provider, reason } = await chooseProvider(device.provider);
  if (device.provider !== 'cpu') onChoice?.(reason);
  const isAutomatic = device.provider === 'auto';
  const session = { provider, threads: device.threads, ...(isAutomatic ? { mustPay: true } : {}) };
  try {
    return await work(session);
  } catch (error) {
    if (!isAutomatic || !(error instanceof ProviderFailure)) throw error;
    forgetAutomaticChoice();
    onChoice?.(`Goes on on the CPU, and not on ${displayName(error.provider)}: ${error.reason}.`);
    return await work({ ...session, provider: 'cpu' });
  }
}

/** Lets a run whose execution provider failed go on on the CPU when it is resumed. @returns what to tell the user */
export function goesOnOnCpu(
  run: Run,
  { store }: Pick<JobContext, 'store'>,
  { provider, reason }: ProviderFailure,
): UserError {
  const failure = new ProviderFailure(
    provider,
    reason,
    'resume the run, and it goes on from here on the CPU',
  );
  store.update(run, {
    status: 'failed',
    error: failure.message,
    settings: { ...run.settings, provider: 'cpu' },
  });
  return failure;
}
