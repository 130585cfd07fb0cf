/** The messages between the main process and the engine's process, around the requests of the contract. */
import { runId } from '../schema/runs.js';
import * as v from 'valibot';
import { events, failure, requests, type EventName, type RequestName } from './contract.js';

/** Requests of the contract that the engine's process answers; main answers the others. */
export const ENGINE_REQUESTS = [
  'model.look',
  'model.open',
  'model.stop',
  'task.open',
  'job.options',
  'providers.list',
  'job.estimate',
  'job.start',
  'job.resume',
  'job.train',
  'job.stop',
  'compare.ask',
  'compare.stop',
  'compare.heldout',
  'compare.measure',
  'comparisons.list',
  'comparisons.show',
  'comparisons.start',
  'comparisons.resume',
  'comparisons.stop',
  'comparisons.vote',
  'comparisons.delete',
  'export.suggest',
  'export.preview',
  'export.write',
  'report.write',
  'runs.list',
  'runs.show',
  'runs.delete',
  'runs.rename',
] as const satisfies readonly RequestName[];
export type EngineRequest = (typeof ENGINE_REQUESTS)[number];

/** Events of the contract that come out of the engine's process. */
export const ENGINE_EVENTS = [
  'model.converting',
  'job.event',
  'job.finished',
  'job.failed',
  'compare.token',
  'compare.progress',
  'comparison.progress',
  'comparison.ended',
] as const satisfies readonly EventName[];
export type EngineEvent = (typeof ENGINE_EVENTS)[number];

/** What the engine's process is started with: JSON, as its first argument. */
export const engineStart = v.object({
  folders: v.object({ runs: v.string(), cache: v.string(), pasted: v.string(), sample: v.string() }),
  /** Where exports are offered. */
  exportFolder: v.string(),
});
export type EngineStart = v.InferOutput<typeof engineStart>;

export const toEngine = v.variant('type', [
  v.object({
    type: v.literal('request'),
    id: v.number(),
    name: v.picklist(ENGINE_REQUESTS),
    input: v.unknown(),
  }),
]);
export type ToEngine = v.InferOutput<typeof toEngine>;

export const fromEngine = v.variant('type', [
  v.object({ type: v.literal('ready') }),
  v.object({
    type: v.literal('reply'),
    id: v.number(),
    reply: v.variant('ok', [
      v.object({ ok: v.literal(true), value: v.unknown() }),
      v.object({ ok: v.literal(false), failure }),
    ]),
  }),
  v.object({ type: v.literal('event'), name: v.picklist(ENGINE_EVENTS), payload: v.unknown() }),
  /** A job ended by the user's wish. */
  v.object({ type: v.literal('job-stopped'), run: runId }),
  v.object({ type: v.literal('log'), level: v.picklist(['info', 'warning', 'error']), message: v.string() }),
  /** Asks for a process that times a model; a port to it comes back with the same number. */
  v.object({ type: v.literal('timing-process'), id: v.number() }),
]);
export type FromEngine = v.InferOutput<typeof fromEngine>;

/** @throws ValiError if the reply's value is not what the contract says */
export function checkedOutput<N extends RequestName>(
  name: N,
  value: unknown,
): v.InferOutput<(typeof requests)[N]['output']> {
  return v.parse(
    requests[name].output as v.GenericSchema<unknown, v.InferOutput<(typeof requests)[N]['output']>>,
    value,
  );
}

/** @throws ValiError if the payload is not what the contract says */
export function checkedPayload<N extends EventName>(
  name: N,
  payload: unknown,
): v.InferOutput<(typeof events)[N]> {
  return v.parse(events[name] as v.GenericSchema<unknown, v.InferOutput<(typeof events)[N]>>, payload);
}
