/** Cuts of a model's weights, made before blocks are skipped: what may be asked for, and what was done. */
import * as v from 'valibot';
import { count } from './values.js';

/** 'keep': as the source has it. */
export const precision = v.picklist(['fp16', 'int8', 'q4', 'q4f16']);
export type Precision = v.InferOutput<typeof precision>;

/** In the order in which they are made. */
export const cutKind = v.picklist(['vocabulary', 'neurons', 'precision', 'last-token']);
export type CutKind = v.InferOutput<typeof cutKind>;

export const cuts = v.partial(
  v.object({
    /** 'task': the scripts of the task's rows; or names of scripts, with commas between. */
    vocabulary: v.pipe(v.string(), v.minLength(1), v.maxLength(500)),
    /** Share of the MLPs' neurons that are removed. */
    neurons: v.pipe(v.number(), v.gtValue(0), v.ltValue(1)),
    precision,
    /** Logits of the last position alone. */
    lastToken: v.boolean(),
  }),
);
export type Cuts = v.InferOutput<typeof cuts>;

/** Whether any cut is asked for: what blocks are skipped from is another model then. */
export function isCut({ cuts: asked }: { cuts: Cuts }): boolean {
  return Object.values(asked).some((value) => value !== undefined && value !== false);
}

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
