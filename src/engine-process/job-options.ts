/** What step 3 offers: settings with their defaults, strategies, presets, and the devices of this machine. */
import {
  defaultSettings,
  defaultTrainings,
  providersInOrder,
  SELECTION_STRATEGIES,
  tryProvider,
  type Provider,
} from '../engine/index.js';
import { JOB_PRESETS } from '../shared/job-presets.js';
import { jobRequest, type JobOptions, type ProviderDescription } from '../shared/job-settings.js';

export function jobOptions(): JobOptions {
  const { model: _m, dataset: _d, ...defaults } = defaultSettings();
  return {
    defaults: { ...defaults, provider: jobRequest.entries.provider.default },
    training: defaultTrainings(),
    strategies: SELECTION_STRATEGIES.map(({ name, description }) => ({ name, description })),
    presets: JOB_PRESETS,
  };
}

const LABELS: Record<Provider, string> = {
  cpu: 'Processor',
  webgpu: 'Graphics card (WebGPU)',
  cuda: 'NVIDIA graphics card (CUDA)',
  dml: 'Graphics card (DirectML)',
  coreml: 'Apple Neural Engine and graphics (CoreML)',
};

let tried: Promise<ProviderDescription[]> | undefined;

/**
 * Those of this machine in the order in which 'automatic' tries them, tried once.
 * @param log told why one does not start
 */
export function listProviders(
  processorName: string | undefined,
  log: (message: string) => void,
): Promise<ProviderDescription[]> {
  tried ??= Promise.all(
    providersInOrder().map(async (name) => {
      const reason = await tryProvider(name);
      if (reason !== undefined) log(`The execution provider ${name} does not start: ${reason}`);
      return {
        name,
        label: LABELS[name],
        works: reason === undefined,
        device: name === 'cpu' ? processorName : undefined,
        message: reason === undefined ? undefined : `${LABELS[name]} could not be started on this machine.`,
      };
    }),
  );
  return tried;
}
