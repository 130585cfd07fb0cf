/** Requests that the engine answers without main's doing. */
import type { CheckedInput } from '../../shared/contract.js';
import type { EngineRequest } from '../../shared/engine-messages.js';
import type { Handlers } from '../../shared/router.js';
import type { EngineHost } from '../engine-host/engine-host.js';

export function passOn<N extends EngineRequest>(engine: EngineHost, ...names: N[]): Pick<Handlers, N> {
  const handlers = names.map((name) => [name, (input: CheckedInput<N>) => engine.ask(name, input)]);
  return Object.fromEntries(handlers) as Pick<Handlers, N>;
}
