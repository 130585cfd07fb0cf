/** Processes that time a model, as Electron's main process starts them for the engine. */
import type { MessagePortMain } from 'electron';
import type { TimingChannel, TimingReply } from '../engine/index.js';

export class TimingPorts {
  readonly #waiting = new Map<number, (port: MessagePortMain) => void>();
  readonly #ask: (id: number) => void;
  #next = 0;

  /** @param ask asks main for the port with this number */
  constructor(ask: (id: number) => void) {
    this.#ask = ask;
  }

  async start(): Promise<TimingChannel> {
    const id = (this.#next += 1);
    const port = await new Promise<MessagePortMain>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#ask(id);
    });
    return measureChannel(port);
  }

  receive(id: number, port: MessagePortMain): void {
    this.#waiting.get(id)?.(port);
    this.#waiting.delete(id);
  }
}

function measureChannel(port: MessagePortMain): TimingChannel {
  let answer: ((reply: TimingReply | undefined) => void) | undefined;
  let isClosed = false;
  port.on('message', ({ data }) => answer?.(data as TimingReply));
  port.on('close', () => {
    isClosed = true;
    answer?.(undefined);
  });
  port.start();
  return {
    ask: async (request) =>
      await new Promise((resolve) => {
        answer = resolve;
        if (isClosed) resolve(undefined);
        else port.postMessage(request);
      }),
    end: () => port.close(),
  };
}
