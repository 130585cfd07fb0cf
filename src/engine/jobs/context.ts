/** What every job is given beside its request: where things are kept, what it runs on, how it is stopped and heard. */
import type { JobListener } from '../../schema/events.js';
import type { JobSettings } from '../../schema/settings.js';
import type { TimingChannel } from '../evaluate/speed/measure-speed.js';
import type { RunStore } from '../runs/run-store.js';
import { KeptModels } from './parts/kept-models.js';

/** An execution provider (or 'auto'), and threads within an operator; default: onnxruntime's choice of threads. */
export type Device = Pick<JobSettings, 'provider' | 'threads'>;

export interface JobContext {
  store: RunStore;
  /** Folder of generated answers, and of models that are written to be measured. */
  cache: string;
  /** What jobs run on that are not those of a run; a run's settings say so themselves. */
  device: Device;
  /** Bytes of memory that such jobs may take; absent: no limit. */
  memory?: number;
  /** Stops the job: it then throws CancelledError. */
  signal?: AbortSignal;
  on: JobListener;
  /** Models that stay open from job to job. */
  kept: KeptModels;
  /** How a process that times a model is started; absent: another Node. */
  startTiming?: () => Promise<TimingChannel>;
  /** Lets work that somebody waits for go first; called between steps of work that takes long. */
  giveWay?: () => Promise<void>;
}

/** A context with defaults: the CPU, no limit of memory, nobody listening. */
export function jobContext(given: Pick<JobContext, 'store' | 'cache'> & Partial<JobContext>): JobContext {
  return { device: { provider: 'cpu' }, on: () => {}, kept: new KeptModels(), ...given };
}
