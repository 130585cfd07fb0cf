/**
 * Stands in for the app's other processes in a plain browser: the same contract, checked by the same schemas, answered
 * from recordings of a real job. For development and tests of the page alone; never shipped.
 */
import * as v from 'valibot';
import { events, requests, type Bridge, type Reply, type RequestName } from '../../../src/shared/contract.js';
import { appHandlers } from './app-handlers.js';
import { compareHandlers } from './compare-handlers.js';
import { comparisonHandlers } from './comparison-handlers.js';
import { exportHandlers } from './export-handlers.js';
import { jobHandlers } from './job-handlers.js';
import { modelHandlers } from './model-handlers.js';
import { RunBook, runHandlers } from './run-handlers.js';
import { StandInFailure, type Emit, type Handlers } from './handlers.js';
import type { SceneOptions } from './scenes.js';
import { taskHandlers } from './task-handlers.js';

export function createStandIn(options: SceneOptions): Bridge {
  const listeners = new Map<string, Set<(payload: never) => void>>();
  const emit: Emit = (name, payload) => {
    const checked = v.parse(events[name], payload);
    for (const listener of listeners.get(name) ?? []) listener(checked as never);
  };
  const book = new RunBook(options, emit);
  const handlers: Handlers = {
    ...appHandlers(options, emit),
    ...modelHandlers(options),
    ...taskHandlers(options),
    ...jobHandlers(options, emit, book),
    ...compareHandlers(options, emit),
    ...comparisonHandlers(options, emit),
    ...exportHandlers(options),
    ...runHandlers(book),
  };
  return {
    request: (async (name: RequestName, input?: unknown): Promise<Reply> => {
      const checked = v.safeParse(requests[name].input as v.GenericSchema, input);
      if (!checked.success)
        return { ok: false, failure: { kind: 'refused', message: v.summarize(checked.issues) } };
      try {
        const value = await handlers[name](checked.output as never);
        return { ok: true, value: v.parse(requests[name].output as v.GenericSchema, value) } as Reply;
      } catch (error) {
        const kind = error instanceof StandInFailure ? error.kind : 'unexpected';
        return { ok: false, failure: { kind, message: (error as Error).message } };
      }
    }) as Bridge['request'],
    on: (name, listener) => {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener as (payload: never) => void));
      return () => set.delete(listener as (payload: never) => void);
    },
    pathOf: (file) => `/home/ada/Downloads/${file.name}`,
  };
}
