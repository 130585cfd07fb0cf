/**
 * The contract between the processes: every request, its reply, and every event, each with a schema. Whoever receives
 * a message checks it against these; what does not fit is refused and logged.
 */
import * as v from 'valibot';
import { appEvents, appRequests } from './app.js';
import { compareEvents, compareRequests } from './compare.js';
import { comparisonEvents, comparisonRequests } from './comparisons.js';
import { exportRequests } from './export.js';
import { jobEvents, jobRequests } from './job.js';
import { budgetRequests } from './job-settings.js';
import { modelEvents, modelRequests } from './model.js';
import { runEvents, runRequests } from './runs.js';
import { taskRequests } from './task.js';

export const requests = {
  ...appRequests,
  ...modelRequests,
  ...taskRequests,
  ...budgetRequests,
  ...jobRequests,
  ...compareRequests,
  ...comparisonRequests,
  ...exportRequests,
  ...runRequests,
} as const;

export const events = {
  ...appEvents,
  ...modelEvents,
  ...jobEvents,
  ...compareEvents,
  ...comparisonEvents,
  ...runEvents,
} as const;

export type RequestName = keyof typeof requests;
/** What a caller gives: defaults may be left out. */
export type RequestInput<N extends RequestName> = v.InferInput<(typeof requests)[N]['input']>;
/** What a handler gets: defaults filled in. */
export type CheckedInput<N extends RequestName> = v.InferOutput<(typeof requests)[N]['input']>;
export type RequestOutput<N extends RequestName> = v.InferOutput<(typeof requests)[N]['output']>;

export type EventName = keyof typeof events;
export type EventPayload<N extends EventName> = v.InferOutput<(typeof events)[N]>;

/** Why a request was not answered. */
export const failure = v.object({
  kind: v.picklist([
    /** The message says what is wrong and what to do. */
    'user',
    /** The user stopped it. */
    'cancelled',
    /** The engine's process died. */
    'crashed',
    /** The request itself was not understood. */
    'refused',
    /** A fault of Hopscotch; details are in the log. */
    'unexpected',
  ]),
  message: v.string(),
});
export type Failure = v.InferOutput<typeof failure>;

/** Every request is answered by one of these; nothing is thrown across processes. */
export type Reply<N extends RequestName = RequestName> =
  { ok: true; value: RequestOutput<N> } | { ok: false; failure: Failure };

/** What the preload gives to the page as `window.hopscotch`. */
export interface Bridge {
  /** Never rejects. */
  request<N extends RequestName>(
    name: N,
    ...input: undefined extends RequestInput<N> ? [input?: RequestInput<N>] : [input: RequestInput<N>]
  ): Promise<Reply<N>>;
  /** @returns a function that ends the listening */
  on<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): () => void;
  /** Path of a file that was dropped on the page or chosen by it; '' if it is none of the disk. */
  pathOf(file: File): string;
}
