/** The way to an engine's process, whichever kind of process it is. */
import type { ToEngine } from '../../shared/engine-messages.js';

export interface EngineChannel {
  readonly pid: number | undefined;
  post(message: ToEngine): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once, with the exit code; the process is gone then. */
  onExit(listener: (code: number | null) => void): void;
  kill(): void;
}

export type StartEngine = () => EngineChannel;
