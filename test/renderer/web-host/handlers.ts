/** What the stand-in's parts have in common. */
import type {
  CheckedInput,
  EventName,
  EventPayload,
  Failure,
  RequestName,
  RequestOutput,
} from '../../../src/shared/contract.js';

export type Handlers = {
  [N in RequestName]: (input: CheckedInput<N>) => RequestOutput<N> | Promise<RequestOutput<N>>;
};
export type Emit = <N extends EventName>(name: N, payload: EventPayload<N>) => void;

/** What a handler throws to be answered by a failure. */
export class StandInFailure extends Error {
  constructor(
    readonly kind: Failure['kind'],
    message: string,
  ) {
    super(message);
  }
}
