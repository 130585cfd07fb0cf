/** What all request handlers of the engine's process share. */
import type { JobContext, JobEvent } from '../engine/index.js';
import type { EventPayload } from '../shared/contract.js';
import type { EngineEvent, EngineStart } from '../shared/engine-messages.js';

export interface EngineShell {
  start: EngineStart;
  /** The context of a job, as this process gives it to all. */
  jobs: JobContext;
  emit<N extends EngineEvent>(name: N, payload: EventPayload<N>): void;
  log(level: 'info' | 'warning' | 'error', message: string): void;
}

/** What goes into the log of a job's events: where it runs and why. */
export function logLine(event: JobEvent): string | undefined {
  if (event.type === 'provider' || event.type === 'export-mode') return event.reason;
  if (event.type === 'memory') return `${event.way}: ${event.why}`;
  if (event.type === 'cpu-operators')
    return `${event.provider} leaves to the CPU: ${event.operators.join(', ')}`;
  return undefined;
}
