import { describe, expect, test, vi } from 'vitest';
import type { ToEngine } from '../../shared/engine-messages.js';
import { PassedFailure } from '../../shared/router.js';
import type { EngineChannel } from './engine-channel.js';
import { EngineHost, type EngineHostListener } from './engine-host.js';

class FakeChannel implements EngineChannel {
  pid = 1;
  sent: ToEngine[] = [];
  killed = false;
  #message: (message: unknown) => void = () => undefined;
  #exit: (code: number | null) => void = () => undefined;

  post(message: ToEngine): void {
    this.sent.push(message);
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#message = listener;
  }

  onExit(listener: (code: number | null) => void): void {
    this.#exit = listener;
  }

  kill(): void {
    this.killed = true;
  }

  say(message: unknown): void {
    this.#message(message);
  }

  die(code: number): void {
    this.#exit(code);
  }

  answer(value: unknown): void {
    this.say({ type: 'reply', id: this.sent.at(-1)!.id, reply: { ok: true, value } });
  }
}

function hostWithChannels() {
  const channels: FakeChannel[] = [];
  const listener = {
    onEvent: vi.fn<EngineHostListener['onEvent']>(),
    onJobStopped: vi.fn<EngineHostListener['onJobStopped']>(),
    onCrash: vi.fn<EngineHostListener['onCrash']>(),
    log: vi.fn<EngineHostListener['log']>(),
  };
  const host = new EngineHost(() => {
    channels.push(new FakeChannel());
    return channels.at(-1)!;
  }, listener);
  return { host, channels, listener };
}

const failureOf = async (promise: Promise<unknown>) =>
  await promise.then(
    () => undefined,
    (error: PassedFailure) => error.failure,
  );

describe('EngineHost', () => {
  test('starts the process with the first request and asks it', async () => {
    const { host, channels } = hostWithChannels();
    expect(channels).toHaveLength(0);
    const asked = host.ask('runs.list', undefined);
    expect(channels[0]!.sent[0]).toMatchObject({ type: 'request', name: 'runs.list' });
    channels[0]!.answer([]);
    expect(await asked).toEqual([]);
  });

  test('passes on what the engine says went wrong', async () => {
    const { host, channels } = hostWithChannels();
    const asked = failureOf(host.ask('runs.list', undefined));
    const failure = { kind: 'user', message: 'No space left.' };
    channels[0]!.say({ type: 'reply', id: channels[0]!.sent[0]!.id, reply: { ok: false, failure } });
    expect(await asked).toEqual(failure);
  });

  test('refuses an answer that is not what the contract says', async () => {
    const { host, channels, listener } = hostWithChannels();
    const asked = failureOf(host.ask('runs.list', undefined));
    channels[0]!.answer([{ id: 7 }]);
    expect(await asked).toMatchObject({ kind: 'unexpected' });
    expect(listener.log).toHaveBeenCalledOnce();
  });

  test('passes good events on, refuses and logs the others', () => {
    const { host, channels, listener } = hostWithChannels();
    host.warmUp();
    const payload = { ticket: 't', what: 'answers', done: 1, total: 2 };
    channels[0]!.say({ type: 'event', name: 'compare.progress', payload });
    expect(listener.onEvent).toHaveBeenCalledWith('compare.progress', payload);
    channels[0]!.say({ type: 'event', name: 'compare.progress', payload: { ...payload, done: 'many' } });
    channels[0]!.say({ type: 'event', name: 'settings.changed', payload: {} });
    channels[0]!.say('hello');
    expect(listener.onEvent).toHaveBeenCalledOnce();
    expect(listener.log).toHaveBeenCalledTimes(3);
  });

  test('a crash fails what was asked, is told, and the next request starts a new process', async () => {
    const { host, channels, listener } = hostWithChannels();
    const asked = failureOf(host.ask('runs.list', undefined));
    channels[0]!.die(139);
    expect(await asked).toMatchObject({ kind: 'crashed' });
    expect(listener.onCrash).toHaveBeenCalledExactlyOnceWith(139);
    const again = host.ask('runs.list', undefined);
    expect(channels).toHaveLength(2);
    channels[1]!.answer([]);
    expect(await again).toEqual([]);
  });

  test('ending the process is no crash', async () => {
    const { host, channels, listener } = hostWithChannels();
    const asked = failureOf(host.ask('runs.list', undefined));
    host.end();
    channels[0]!.die(0);
    expect(channels[0]!.killed).toBe(true);
    expect(await asked).toMatchObject({ kind: 'cancelled' });
    expect(listener.onCrash).not.toHaveBeenCalled();
  });
});
