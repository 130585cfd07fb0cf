/** The bridge as the page uses it: replies as values, failures as errors. */
import type {
  Bridge,
  EventName,
  EventPayload,
  Failure,
  RequestInput,
  RequestName,
  RequestOutput,
} from '../../shared/contract.js';

export class RequestError extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
    this.name = 'RequestError';
  }
}

export class Requests {
  readonly #bridge: Bridge;

  constructor(bridge: Bridge) {
    this.#bridge = bridge;
  }

  /** @throws RequestError if the request is not answered */
  async ask<N extends RequestName>(
    name: N,
    ...input: undefined extends RequestInput<N> ? [input?: RequestInput<N>] : [input: RequestInput<N>]
  ): Promise<RequestOutput<N>> {
    // State of Svelte is wrapped in proxies, which cannot be sent to another process.
    const plain = input.map((value) =>
      value === undefined ? value : $state.snapshot(value),
    ) as typeof input;
    const reply = await this.#bridge.request(name, ...plain);
    if (!reply.ok) throw new RequestError(reply.failure);
    return reply.value;
  }

  on<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): () => void {
    return this.#bridge.on(name, listener);
  }

  pathOf(file: File): string {
    return this.#bridge.pathOf(file);
  }
}

/** What to tell the user about an error of any kind. */
export function failureOf(error: unknown): Failure {
  if (error instanceof RequestError) return error.failure;
  return { kind: 'unexpected', message: error instanceof Error ? error.message : String(error) };
}
