/** Step 5, comparing: both models answer, side by side. */
import * as v from 'valibot';
import { answerFigures, sizeFigures, speedFigures } from './report.js';
import { count, positive, runId, share, ticket } from './values.js';

/** A point of a run's curve. 0 blocks is the original. */
export const runPoint = v.object({ run: runId, blocks: count });
export type RunPoint = v.InferOutput<typeof runPoint>;

export const side = v.picklist(['original', 'slimmed']);
export type Side = v.InferOutput<typeof side>;

export const answer = v.object({
  text: v.string(),
  /** The text token by token; joined they are the text. */
  pieces: v.array(v.string()),
  tokens: count,
  promptTokens: count,
  /** Time that this model alone took, in seconds: reading the prompt, writing the answer. */
  promptSeconds: v.number(),
  seconds: v.number(),
  tokensPerSecond: v.number(),
  /** 'length': cut at the largest number of tokens; 'stopped': by the user. */
  finishedBy: v.picklist(['stop', 'length', 'stopped']),
});
export type Answer = v.InferOutput<typeof answer>;

export const heldoutRow = v.object({
  line: count,
  /** What the user's side of the conversation says. */
  prompt: v.string(),
  /** The dataset's own answer. */
  expected: v.optional(v.string()),
  original: v.string(),
  slimmed: v.string(),
  same: v.boolean(),
  /** Whether each is right, where the dataset brings answers. */
  originalRight: v.optional(v.boolean()),
  slimmedRight: v.optional(v.boolean()),
  /** 0: the same words; 1: nothing in common. */
  disagreement: share,
});
export type HeldoutRow = v.InferOutput<typeof heldoutRow>;

export const compareRequests = {
  /** Asks both models; tokens come as `compare.token` with the same ticket. Answers when both are done or stopped. */
  'compare.ask': {
    input: v.object({
      ...runPoint.entries,
      ticket,
      prompt: v.pipe(v.string(), v.minLength(1), v.maxLength(200_000)),
      maxNewTokens: v.optional(v.pipe(positive, v.maxValue(8192)), 256),
      /** Absent: always the most likely token. */
      temperature: v.optional(v.pipe(v.number(), v.minValue(0.01), v.maxValue(5))),
      seed: v.optional(v.pipe(v.number(), v.integer()), 0),
    }),
    output: v.object({ original: answer, slimmed: answer, same: v.boolean() }),
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
    output: v.object({
      sizes: v.object({ original: sizeFigures, slimmed: sizeFigures }),
      speed: v.optional(v.object({ original: speedFigures, slimmed: speedFigures })),
      /** One sentence: why speed could not be measured. */
      note: v.optional(v.string()),
    }),
  },
} as const;

export const compareEvents = {
  'compare.token': v.object({
    ticket,
    side,
    text: v.string(),
    /** Tokens so far, and seconds that this model alone has taken for them. */
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
