/** A bridge whose answers a test gives, at once or when it says so, and whose events it sends. */
import { createStandIn } from '../web-host/stand-in.js';
import type {
  Bridge,
  EventName,
  EventPayload,
  Reply,
  RequestInput,
  RequestName,
  RequestOutput,
} from '../../../src/shared/contract.js';
import { Session } from '../../../src/renderer/state/session.svelte.js';
import type { Scene } from '../web-host/scenes.js';

export interface Asked<N extends RequestName = RequestName> {
  name: N;
  input: RequestInput<N>;
}

export class FakeBridge implements Bridge {
  /** Everything that the page asked for, in order. */
  readonly asked: Asked[] = [];
  readonly #standIn: Bridge;
  readonly #answers = new Map<RequestName, (input: never) => unknown>();
  readonly #held = new Map<RequestName, (() => void)[]>();
  readonly #listeners = new Map<EventName, Set<(payload: never) => void>>();

  /** @param scene what the stand-in answers where the test does not */
  constructor(scene: Scene) {
    this.#standIn = createStandIn({ scene, speed: 0 });
  }

  /** Answers these requests; a thrown Error becomes a failure that the user is told. */
  answer<N extends RequestName>(name: N, answer: (input: RequestInput<N>) => RequestOutput<N>): void {
    this.#answers.set(name, answer as (input: never) => unknown);
  }

  /** Holds answers of this kind back. @returns gives the oldest one that is held */
  hold(name: RequestName): () => Promise<void> {
    const held: (() => void)[] = [];
    this.#held.set(name, held);
    return async () => {
      held.shift()!();
      await settled();
    };
  }

  emit<N extends EventName>(name: N, payload: EventPayload<N>): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(payload as never);
  }

  inputsOf<N extends RequestName>(name: N): RequestInput<N>[] {
    return this.asked.filter((asked) => asked.name === name).map(({ input }) => input as RequestInput<N>);
  }

  readonly request = (async (name: RequestName, input: never): Promise<Reply> => {
    this.asked.push({ name, input });
    const held = this.#held.get(name);
    if (held) await new Promise<void>((resolve) => held.push(resolve));
    const answer = this.#answers.get(name);
    if (!answer) return await this.#standIn.request(name, input);
    try {
      return { ok: true, value: answer(input) } as Reply;
    } catch (error) {
      return { ok: false, failure: { kind: 'user', message: (error as Error).message } };
    }
  }) as Bridge['request'];

  on<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): () => void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(listener as (payload: never) => void));
    const end = this.#standIn.on(name, listener);
    return () => {
      set.delete(listener as (payload: never) => void);
      end();
    };
  }

  pathOf(file: File): string {
    return this.#standIn.pathOf(file);
  }
}

/** Resolves when all that can happen without a new answer has happened. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 60));
}

export async function startSession(scene: Scene): Promise<{ session: Session; bridge: FakeBridge }> {
  const bridge = new FakeBridge(scene);
  const session = new Session(bridge);
  await session.start();
  await settled();
  return { session, bridge };
}
