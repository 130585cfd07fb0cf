/** From a message to its handler and back: checks what comes in, answers with a reply, never throws. */
import * as v from 'valibot';
import { CancelledError, UserError } from '../schema/errors.js';
import {
  requests,
  type CheckedInput,
  type Failure,
  type Reply,
  type RequestName,
  type RequestOutput,
} from './contract.js';
import { forUsers } from '../schema/plain-words.js';

export type Handler<N extends RequestName> = (input: CheckedInput<N>) => Promise<Answered<N>> | Answered<N>;

/** A request whose answer says nothing may be answered by a function that returns nothing. */
type Answered<N extends RequestName> = RequestOutput<N> extends undefined ? void : RequestOutput<N>;

export type Handlers<Names extends RequestName = RequestName> = { [N in Names]: Handler<N> };

/** Writes to the log what users are not told. */
export type LogFault = (message: string, error?: unknown) => void;

/** A failure that was found elsewhere and is passed on as it is. */
export class PassedFailure extends Error {
  override readonly name = 'PassedFailure';

  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

export const UNEXPECTED =
  'Something went wrong in Hopscotch itself; the log (Help menu) says what. Please report it.';

export class Router {
  readonly #handlers: Partial<Handlers>;
  readonly #logFault: LogFault;

  constructor(handlers: Partial<Handlers>, logFault: LogFault) {
    this.#handlers = handlers;
    this.#logFault = logFault;
  }

  /** Answers a message that may be anything. */
  async answer(name: unknown, input: unknown): Promise<Reply> {
    const handler =
      isRequestName(name) && Object.hasOwn(this.#handlers, name) ? this.#handlers[name] : undefined;
    if (!isRequestName(name) || !handler) {
      return this.#refuse(`Unknown request ${JSON.stringify(name)?.slice(0, 100)}`);
    }
    const parsed = v.safeParse(requests[name].input, input);
    if (!parsed.success) {
      return this.#refuse(`Malformed input of ${name}: ${describeIssue(parsed.issues[0])}`);
    }
    try {
      const value = await (handler as (input: unknown) => unknown)(parsed.output);
      return { ok: true, value } as Reply;
    } catch (error) {
      return { ok: false, failure: this.#failureOf(name, error) };
    }
  }

  #refuse(message: string): Reply {
    this.#logFault(message);
    return { ok: false, failure: { kind: 'refused', message } };
  }

  #failureOf(name: RequestName, thrown: unknown): Failure {
    const error = forUsers(thrown);
    if (error instanceof PassedFailure) return error.failure;
    if (error instanceof UserError) return { kind: 'user', message: error.message };
    if (error instanceof CancelledError) return { kind: 'cancelled', message: error.message };
    this.#logFault(`${name} failed`, error);
    return { kind: 'unexpected', message: UNEXPECTED };
  }
}

export function isRequestName(name: unknown): name is RequestName {
  return typeof name === 'string' && Object.hasOwn(requests, name);
}

/** One line that says where a message does not fit its schema. */
export function describeIssue(issue: v.BaseIssue<unknown>): string {
  return `${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`;
}
