/** What all request handlers of the engine's process share. */
import type { MeasureChannel } from '../engine/evaluate/speed/measure-speed.js';
import type { RunStore } from '../engine/runs/run-store.js';
import type { EventPayload } from '../shared/contract.js';
import type { EngineEvent, EngineStart } from '../shared/engine-messages.js';
import type { OpenModels } from './open-models.js';

export interface EngineContext {
  folders: EngineStart['folders'];
  exportFolder: string;
  store: RunStore;
  models: OpenModels;
  emit<N extends EngineEvent>(name: N, payload: EventPayload<N>): void;
  log(level: 'info' | 'warning' | 'error', message: string): void;
  /** Absent in plain Node, where the engine starts such processes itself. */
  startMeasureProcess: (() => Promise<MeasureChannel>) | undefined;
}
