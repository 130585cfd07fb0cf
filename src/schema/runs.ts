/** Runs: what lies in a run's folder, and what shells show of it. */
import * as v from 'valibot';
import { blockName } from './blocks.js';
import { resourceFigures, runReport, trainingEpoch } from './report.js';
import { jobSettings } from './settings.js';
import { count, filePath } from './values.js';

/** A run's name, which is also its folder's: no separators, no dots at its start. */
export const runId = v.pipe(v.string(), v.regex(/^[\w-][\w.-]{0,254}$/, 'not the name of a run'));

/**
 * 'impossible': what was asked for cannot be had, so that going on would end there again.
 * 'damaged': run.json cannot be read as a whole; what could be saved is shown. Never written.
 */
export const runStatus = v.picklist(['running', 'stopped', 'failed', 'impossible', 'finished', 'damaged']);

/** run.json. */
export const run = v.object({
  version: v.literal(1),
  id: runId,
  /** ISO 8601. */
  created: v.string(),
  /** 'running' only as long as a process runs it. */
  status: runStatus,
  /** For people: folder names of model and dataset. */
  modelName: v.string(),
  datasetName: v.string(),
  settings: jobSettings,
  /** Given by the user. */
  title: v.optional(v.string()),
  /** The process that runs it, while it is running. */
  process: v.optional(v.number()),
  /** Where the export went, once there is one. */
  exportedTo: v.optional(filePath),
  /** Why it failed. */
  error: v.optional(v.string()),
});
export type Run = v.InferOutput<typeof run>;

/** A round of the selection: the loss with each candidate skipped, and the block that was chosen. */
export const selectionRound = v.object({
  /** What decides by candidate, in the order tried: a mean loss, for some strategies with more in it. */
  losses: v.record(v.string(), v.number()),
  /** Where it has: how much the loss alone is above the original's on the same rows. */
  rises: v.optional(v.record(v.string(), v.number())),
  chosen: v.optional(blockName),
});
export type SelectionRound = v.InferOutput<typeof selectionRound>;

/** What a run has found so far, finished or not: a page that opens later draws from it. */
export const runFindings = v.object({
  rounds: v.array(selectionRound),
  /** Losses of the final training by number of skipped blocks. */
  training: v.record(v.string(), v.array(trainingEpoch)),
});
export type RunFindings = v.InferOutput<typeof runFindings>;

const range = v.object({ mean: v.number(), low: v.number(), high: v.number() });

/** A block's trained scales at one point of the curve; vectors as their mean and extremes. */
export const blockScales = v.object({
  name: blockName,
  /** Scale of what the block adds to the residual stream. */
  block: v.optional(range),
  /** Scale of the stream that it is added to. */
  residual: v.optional(range),
  offset: v.optional(range),
  /** Scale of what the norm in front of the block gives. */
  gain: v.optional(range),
});
export type BlockScales = v.InferOutput<typeof blockScales>;

export const runSummary = v.object({
  ...v.omit(run, ['version', 'process']).entries,
  /** Whether it can go on: it was stopped, or failed by what may not be there the next time. */
  resumable: v.boolean(),
  layers: v.optional(count),
  /** The curve as a thumbnail: quality (a share) and loss by number of skipped blocks, the original first. */
  curve: v.array(v.object({ blocks: count, quality: v.number(), loss: v.number() })),
  /** Absent as long as the run has not settled on one. */
  chosenPoint: v.optional(count),
});
export type RunSummary = v.InferOutput<typeof runSummary>;

export const runDetails = v.object({
  summary: runSummary,
  report: v.optional(runReport),
  findings: runFindings,
  /** Trained scales by number of skipped blocks. */
  scales: v.record(v.string(), v.array(blockScales)),
  /** Numbers of skipped blocks that can be compared and exported: trained to the end, and measured. */
  trainedPoints: v.array(count),
  /** Sizes and speed by number of skipped blocks, where they were measured after the run. */
  measured: v.record(v.string(), resourceFigures),
});
export type RunDetails = v.InferOutput<typeof runDetails>;

/** A point of a run's curve. 0 blocks is the original. */
export const runPoint = v.object({ run: runId, blocks: count });
export type RunPoint = v.InferOutput<typeof runPoint>;
