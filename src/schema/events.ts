/** What a job tells while it runs: one typed stream for every job. */
import * as v from 'valibot';
import { blockName } from './blocks.js';
import { cutKind, madeCut, triedStep } from './cuts.js';
import { problemCount } from './problems.js';
import { curvePoint, heldoutQuality, memoryPlan, qualityMeasure, trainingEpoch } from './report.js';
import { runFindings } from './runs.js';
import { exportMode, provider } from './settings.js';
import { count, filePath } from './values.js';

export const jobStage = v.picklist([
  'importing the model',
  'opening the model',
  'planning the cuts',
  'cutting the model',
  'reading the task',
  'collecting answers',
  'calibrating',
  'comparing answers',
  'exporting',
  'measuring speed',
]);
export type JobStage = v.InferOutput<typeof jobStage>;

/** Which of two models that are compared. */
export const side = v.picklist(['original', 'slimmed']);
export type Side = v.InferOutput<typeof side>;

/** A block that is tried without, beside as many as `round` says; and its place among the tries of one look. */
export const candidate = v.object({ round: count, block: blockName, index: count, tries: count });

/** A choice of blocks that is held against others: its scales are trained a little. */
export const choice = v.object({ blocks: v.array(blockName), index: count, choices: count });

const done = { done: v.number(), total: v.number(), secondsLeft: v.optional(v.number()) };

export const jobEvent = v.variant('type', [
  v.object({ type: v.literal('stage'), stage: jobStage }),
  /** A model of another format is converted: from where, to where, and how many bytes that takes. */
  v.object({ type: v.literal('import'), source: filePath, folder: filePath, bytes: count }),
  /** Bytes of weights converted of all. */
  v.object({ type: v.literal('imported'), ...done }),
  /** How far a cut is. */
  v.object({ type: v.literal('cutting'), kind: cutKind, ...done }),
  v.object({ type: v.literal('cut'), cut: madeCut }),
  /** A cut that was tried alone, for an aim. */
  v.object({ type: v.literal('cut-tried'), step: triedStep }),
  /** Comes first where a run goes on: what its checkpoint holds. */
  v.object({ type: v.literal('restored'), findings: runFindings }),
  /** How the dataset was read, and what of it cannot be used. */
  v.object({ type: v.literal('columns'), columns: v.string(), problems: v.array(problemCount) }),
  /** Answers generated of those foreseen, and the shares of those in the making, summed. */
  v.object({ type: v.literal('answers'), ...done, done: count, inMaking: v.optional(v.number()) }),
  /** One sentence: on which execution provider the job runs and why, if another one than the CPU is asked for. */
  v.object({ type: v.literal('provider'), reason: v.string() }),
  /** Operators, not named before, that this provider leaves to the CPU. */
  v.object({ type: v.literal('cpu-operators'), provider, operators: v.array(v.string()) }),
  /** How the model is run within the limit of memory: half a sentence, and why. */
  v.object({ type: v.literal('memory'), plan: memoryPlan, way: v.string(), why: v.string() }),
  /** The mode that the export will have where it is not the one that was asked for, and one sentence why. */
  v.object({ type: v.literal('export-mode'), mode: exportMode, reason: v.string() }),
  v.object({
    type: v.literal('original'),
    quality: heldoutQuality,
    /** With trained scales and nothing skipped, where the file's answers are learnt. */
    trained: v.optional(heldoutQuality),
    measure: qualityMeasure,
  }),
  v.object({ type: v.literal('candidate-started'), ...candidate.entries }),
  v.object({
    type: v.literal('candidate-tried'),
    round: count,
    block: blockName,
    loss: v.number(),
    /** How much the loss alone is above the original's, where what decides (`loss`) holds more than that. */
    rise: v.optional(v.number()),
  }),
  v.object({ type: v.literal('choice-started'), ...choice.entries }),
  v.object({ type: v.literal('block-chosen'), round: count, block: blockName, loss: v.optional(v.number()) }),
  v.object({
    type: v.literal('epoch-finished'),
    skipped: v.array(blockName),
    epochs: count,
    result: trainingEpoch,
  }),
  v.object({ type: v.literal('point'), point: curvePoint }),
  /** Work done of what is foreseen over the whole calibration, in forward passes of one batch. */
  v.object({ type: v.literal('progress'), ...done }),
  /** A token of an answer; tokens so far, and seconds that this model alone has taken since the prompt. */
  v.object({ type: v.literal('token'), side, text: v.string(), tokens: count, seconds: v.number() }),
  /** Rounds of a speed measurement. */
  v.object({ type: v.literal('round'), ...done }),
]);
export type JobEvent = v.InferOutput<typeof jobEvent>;
/** @param answered answers, those in the making as shares */
export function answersEvent(answered: number, total: number): JobEvent {
  const whole = Math.floor(answered);
  return { type: 'answers', done: whole, inMaking: answered - whole, total };
}

export type JobListener = (event: JobEvent) => void;
