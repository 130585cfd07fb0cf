/** The way to the main process: the same for Electron's utility process and for a plain Node child process. */
import type { MessagePortMain } from 'electron';

export interface EnginePort {
  post(message: unknown): void;
  /** @param ports come along with a message in Electron only */
  onMessage(listener: (message: unknown, ports: MessagePortMain[]) => void): void;
  /** Whether this process can start others by itself; Electron's cannot. */
  readonly isNode: boolean;
}

/** @throws Error if this process was not started by an engine host */
export function parentPort(): EnginePort {
  // Electron adds it to `process` in a utility process; in Node it is not there.
  const electronPort = process.parentPort as Electron.ParentPort | undefined;
  if (electronPort) {
    return {
      isNode: false,
      post: (message) => electronPort.postMessage(message),
      onMessage: (listener) => electronPort.on('message', ({ data, ports }) => listener(data, ports)),
    };
  }
  if (!process.send)
    throw new Error('The engine is started by the app, not by hand; use the command line instead.');
  process.on('disconnect', () => process.exit());
  return {
    isNode: true,
    post: (message) => process.send!(message),
    onMessage: (listener) => process.on('message', (message) => listener(message, [])),
  };
}
