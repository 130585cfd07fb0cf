/** What step 3 offers, and a job's settings as the engine takes them. */
import * as v from 'valibot';
import { GRANULARITIES } from '../engine/decoder/scales.js';
import { SELECTION_STRATEGIES } from '../engine/calibrate/select/select-blocks.js';
import { defaultTraining } from '../engine/calibrate/train/train-scales.js';
import { UserError } from '../schema/errors.js';
import { providersInOrder, tryProvider } from '../engine/runtime/providers.js';
import { slimSettingsSchema, type SlimSettings } from '../engine/jobs/parts/settings.js';
import { JOB_PRESETS } from '../main/job-presets.js';
import type { JobOptions, JobSettings, Provider, ProviderDescription } from '../shared/job-settings.js';

/** The app's default: people with a graphics card expect it to be used. */
const DEVICE = 'auto';

/** The settings of a job that is told nothing but its model and its dataset. */
export function defaultSettings(): SlimSettings {
  return v.parse(slimSettingsSchema, { model: '', dataset: '' });
}

export function jobOptions(): JobOptions {
  const { model: _m, dataset: _d, exportMode: _e, speedRounds: _s, ...defaults } = defaultSettings();
  const training = Object.fromEntries(
    GRANULARITIES.map((scales) => {
      const { granularity: _, ...settings } = defaultTraining(scales);
      return [scales, settings];
    }),
  ) as JobOptions['training'];
  return {
    defaults: { ...defaults, provider: DEVICE },
    training,
    strategies: SELECTION_STRATEGIES.map(({ name, description }) => ({ name, description })),
    presets: JOB_PRESETS,
  };
}

/** @throws UserError if a setting is out of its range */
export function slimSettings(settings: JobSettings): SlimSettings {
  const training = Object.fromEntries(
    Object.entries(settings.training ?? {}).filter(([, value]) => value !== undefined),
  );
  const given = { ...settings, provider: settings.provider ?? DEVICE, training };
  const result = v.safeParse(
    slimSettingsSchema,
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  );
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new UserError(`The setting ${v.getDotPath(issue) ?? ''} is not valid: ${issue.message}.`);
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
        ...(name === 'cpu' && processorName ? { device: processorName } : {}),
        ...(reason === undefined ? {} : { message: `${LABELS[name]} could not be started on this machine.` }),
      };
    }),
  );
  return tried;
}
