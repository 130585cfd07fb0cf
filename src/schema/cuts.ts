/** Cuts of a model's weights, made before blocks are skipped: what may be asked for, and what was done. */
import * as v from 'valibot';
import { count, share } from './values.js';

/** 'keep': as the source has it. */
export const precision = v.picklist(['fp16', 'int8', 'q4', 'q4f16']);
export type Precision = v.InferOutput<typeof precision>;

/** In the order in which they are made. */
export const cutKind = v.picklist(['vocabulary', 'neurons', 'precision', 'last-token']);
export type CutKind = v.InferOutput<typeof cutKind>;

export const cuts = v.partial(
  v.object({
    /** 'task': the scripts of the task's rows; or names of scripts, with commas between; behind a colon the most tokens. */
    vocabulary: v.pipe(v.string(), v.minLength(1), v.maxLength(500)),
    /** Share of the MLPs' neurons that are removed. */
    neurons: v.pipe(v.number(), v.gtValue(0), v.ltValue(1)),
    precision,
    /** Logits of the last position alone. */
    lastToken: v.boolean(),
  }),
);
export type Cuts = v.InferOutput<typeof cuts>;

/** The kinds of cuts that are asked for, in the order in which they are made. */
export function askedCuts({ lastToken, ...others }: Cuts): CutKind[] {
  const asked: Partial<Record<CutKind, unknown>> = { ...others, 'last-token': lastToken };
  return cutKind.options.filter((kind) => Boolean(asked[kind]));
}

/** Whether any cut is asked for: what blocks are skipped from is another model then. */
export function isCut({ cuts: asked }: { cuts: Cuts }): boolean {
  return askedCuts(asked).length > 0;
}

/** Kinds of cuts that a plan may combine; blocks are attention blocks. */
export const plannedKind = v.picklist(['attention', 'neurons', 'vocabulary', 'precision']);
export type PlannedKind = v.InferOutput<typeof plannedKind>;

/** One aim instead of a setting for each cut: the cuts are chosen so that it is reached. */
export const aim = v.object({
  goal: v.variant('kind', [
    /** Bytes of the model's files at the most. */
    v.object({ kind: v.literal('size'), bytes: v.pipe(count, v.minValue(1)) }),
    /** The smallest model of which this share of the held-out quality is lost at the most. */
    v.object({ kind: v.literal('quality'), largestDrop: share }),
    /** New tokens come this many times as fast as from the original, on this machine. */
    v.object({ kind: v.literal('speed'), times: v.pipe(v.number(), v.minValue(1), v.maxValue(100)) }),
  ]),
  cuts: v.pipe(v.array(plannedKind), v.minLength(1)),
});
export type Aim = v.InferOutput<typeof aim>;

/** A cut that was tried alone for an aim, before any training. */
export const triedStep = v.object({
  kind: plannedKind,
  /** 'q4', '20 % of the neurons', '6 attention blocks'. */
  what: v.string(),
  /** How much the loss rose on rows kept apart, in nats a token. */
  loss: v.number(),
  /** Foreseen bytes of the model with this cut alone. */
  bytes: v.number(),
  /** Time of a new token as a share of the original's, where a speed is the aim. */
  time: v.optional(v.number()),
  taken: v.boolean(),
});
export type TriedStep = v.InferOutput<typeof triedStep>;

/** What one cut did. */
export const madeCut = v.object({
  kind: cutKind,
  /** One sentence. */
  what: v.string(),
  /** Bytes of the model's files before and after. */
  bytesBefore: count,
  bytesAfter: count,
});
export type MadeCut = v.InferOutput<typeof madeCut>;
