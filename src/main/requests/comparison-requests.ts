/** Requests about lists of prompts: the desk answers what is kept, their own process works. */
import type { comparisonRequests } from '../../shared/comparisons.js';
import type { Handlers } from '../../shared/router.js';
import type { Parts } from './parts.js';
import { passOn } from './pass-on.js';

export function comparisonHandlers({ desk, comparisons }: Parts): Handlers<keyof typeof comparisonRequests> {
  return {
    ...passOn(desk, 'comparisons.show', 'comparisons.vote'),
    'comparisons.list': async () => await comparisons.list(),
    'comparisons.start': async (settings) => await comparisons.start(settings),
    'comparisons.resume': async ({ id }) => await comparisons.resume(id),
    'comparisons.stop': async () => await comparisons.stop(),
    'comparisons.delete': async ({ id }) => await comparisons.delete(id),
  };
}
