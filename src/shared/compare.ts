/** Step 5, comparing: both models answer, side by side. */
import * as v from 'valibot';
import { askingOptions } from '../schema/comparison.js';
import { side } from '../schema/events.js';
import { answerFigures, resourceFigures } from '../schema/report.js';
import { heldoutRow, promptComparison, turn } from '../schema/results.js';
import { runPoint } from '../schema/runs.js';
import { count } from '../schema/values.js';
import { ticket } from './values.js';

export const compareRequests = {
  /** Asks both models; tokens come as `compare.token` with the same ticket. Answers when both are done or stopped. */
  'compare.ask': {
    input: v.object({
      ...runPoint.entries,
      ticket,
      prompt: v.pipe(v.string(), v.minLength(1), v.maxLength(200_000)),
      /** What was said before: each model goes on from its own answers. */
      turns: v.optional(v.pipe(v.array(turn), v.maxLength(100))),
      ...askingOptions,
    }),
    output: promptComparison,
  },
  'compare.stop': { input: v.object({ ticket }), output: v.undefined() },
  /**
   * Both models' answers to the run's held-out prompts, worst disagreements first. The chosen point's were kept by
   * the run; others are generated now, told by `compare.progress`, and kept too.
   */
  'compare.heldout': {
    input: v.object({ ...runPoint.entries, ticket }),
    output: v.object({ rows: v.array(heldoutRow), figures: v.optional(answerFigures) }),
  },
  /** Measures speed, memory and sizes of both, each in a process of its own; told by `compare.progress`. */
  'compare.measure': {
    input: v.object({ ...runPoint.entries, ticket }),
    output: resourceFigures,
  },
} as const;

export const compareEvents = {
  'compare.token': v.object({
    ticket,
    side,
    text: v.string(),
    /** Tokens so far, and seconds that this model alone has taken since it had read the prompt. */
    tokens: count,
    seconds: v.number(),
  }),
  'compare.progress': v.object({
    ticket,
    what: v.picklist(['answers', 'export', 'speed']),
    done: count,
    total: count,
  }),
} as const;
