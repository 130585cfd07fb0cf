/** Keeps an engine's process: starts it when it is needed, asks it, tells when it died. Knows nothing of Electron. */
import * as v from 'valibot';
import type { CheckedInput, EventPayload, Failure, RequestOutput } from '../../shared/contract.js';
import {
  checkedOutput,
  checkedPayload,
  fromEngine,
  type EngineEvent,
  type EngineRequest,
  type FromEngine,
} from '../../shared/engine-messages.js';
import { PassedFailure, UNEXPECTED, describeIssue } from '../../shared/router.js';
import type { EngineChannel, StartEngine } from './engine-channel.js';

export interface EngineHostListener {
  onEvent<N extends EngineEvent>(name: N, payload: EventPayload<N>): void;
  onJobStopped(run: string): void;
  /** The process ended without being asked to. */
  onCrash(code: number | null): void;
  log(level: 'info' | 'warning' | 'error', message: string, error?: unknown): void;
}

export const CRASHED: Failure = {
  kind: 'crashed',
  message:
    'The engine stopped unexpectedly, perhaps for want of memory. It starts again by itself; try once more.',
};

interface Pending {
  name: EngineRequest;
  resolve: (value: never) => void;
  reject: (error: Error) => void;
}

export class EngineHost {
  readonly #start: StartEngine;
  readonly #listener: EngineHostListener;
  readonly #pending = new Map<number, Pending>();
  #channel: EngineChannel | undefined;
  #next = 0;

  constructor(start: StartEngine, listener: EngineHostListener) {
    this.#start = start;
    this.#listener = listener;
  }

  get pid(): number | undefined {
    return this.#channel?.pid;
  }

  /** Starts the process ahead of the first request. */
  warmUp(): void {
    this.#channel ??= this.#open();
  }

  /** @throws PassedFailure with what the engine said, or that it died */
  async ask<N extends EngineRequest>(name: N, input: CheckedInput<N>): Promise<RequestOutput<N>> {
    this.warmUp();
    const id = (this.#next += 1);
    return await new Promise<RequestOutput<N>>((resolve, reject) => {
      this.#pending.set(id, { name, resolve, reject });
      this.#channel!.post({ type: 'request', id, name, input });
    });
  }

  /** Ends the process; what it was asked is answered as cancelled. */
  end(): void {
    const channel = this.#channel;
    this.#channel = undefined;
    this.#failAll({ kind: 'cancelled', message: 'The engine was ended.' });
    channel?.kill();
  }

  #open(): EngineChannel {
    const channel = this.#start();
    channel.onMessage((message) => {
      if (channel === this.#channel) this.#receive(message);
    });
    channel.onExit((code) => {
      if (channel !== this.#channel) return;
      this.#channel = undefined;
      this.#listener.log('error', `The engine's process ended with code ${code}`);
      this.#failAll(CRASHED);
      this.#listener.onCrash(code);
    });
    return channel;
  }

  #receive(data: unknown): void {
    const parsed = v.safeParse(fromEngine, data);
    if (!parsed.success) {
      this.#listener.log('error', `Refused a message of the engine: ${describeIssue(parsed.issues[0])}`);
      return;
    }
    const message = parsed.output;
    if (message.type === 'reply') this.#settle(message);
    else if (message.type === 'event') this.#passEvent(message);
    else if (message.type === 'job-stopped') this.#listener.onJobStopped(message.run);
    else if (message.type === 'log') this.#listener.log(message.level, message.message);
  }

  #settle({ id, reply }: Extract<FromEngine, { type: 'reply' }>): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    if (!reply.ok) {
      pending.reject(new PassedFailure(reply.failure));
      return;
    }
    try {
      pending.resolve(checkedOutput(pending.name, reply.value) as never);
    } catch (error) {
      this.#listener.log('error', `Refused the engine's answer to ${pending.name}`, error);
      pending.reject(new PassedFailure({ kind: 'unexpected', message: UNEXPECTED }));
    }
  }

  #passEvent({ name, payload }: Extract<FromEngine, { type: 'event' }>): void {
    try {
      this.#listener.onEvent(name, checkedPayload(name, payload));
    } catch (error) {
      this.#listener.log('error', `Refused the engine's event ${name}`, error);
    }
  }

  #failAll(failure: Failure): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(new PassedFailure(failure));
  }
}
