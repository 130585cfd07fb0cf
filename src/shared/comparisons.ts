/** Step 5, comparing on a list of prompts: comparisons that go on in the background and are kept. */
import * as v from 'valibot';
import {
  comparisonDetails,
  comparisonId,
  comparisonSettings,
  comparisonSummary,
  vote,
} from '../schema/comparison.js';
import { count } from '../schema/values.js';

const one = v.object({ id: comparisonId });

export const comparisonRequests = {
  /** Newest first. */
  'comparisons.list': { input: v.undefined(), output: v.array(comparisonSummary) },
  'comparisons.show': { input: one, output: comparisonDetails },
  /** One at a time; one with the same settings that is not finished goes on. */
  'comparisons.start': { input: comparisonSettings, output: comparisonSummary },
  'comparisons.resume': { input: one, output: comparisonSummary },
  'comparisons.stop': { input: v.undefined(), output: v.undefined() },
  'comparisons.vote': { input: v.object({ ...one.entries, ...vote.entries }), output: v.undefined() },
  /** Answers with those that are left. */
  'comparisons.delete': { input: one, output: v.array(comparisonSummary) },
} as const;

export const comparisonEvents = {
  /** One was begun, has ended or was deleted. */
  'comparisons.changed': v.array(comparisonSummary),
  'comparison.progress': v.object({
    id: comparisonId,
    done: count,
    total: count,
    secondsLeft: v.optional(v.number()),
  }),
  /** Work on one has ended, whether finished, stopped or failed. */
  'comparison.ended': v.object({ id: comparisonId }),
} as const;
