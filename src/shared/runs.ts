/** Runs: what was calibrated before. */
import * as v from 'valibot';
import { jobSettings } from './job-settings.js';
import { runReport, trainingEpoch } from './report.js';
import { blockName, count, filePath, runId } from './values.js';

export const runStatus = v.picklist(['running', 'stopped', 'failed', 'finished']);

export const runSummary = v.object({
  id: runId,
  /** Given by the user. */
  title: v.optional(v.string()),
  /** ISO 8601. */
  created: v.string(),
  /** 'running' only for the job of this very moment. */
  status: runStatus,
  modelName: v.string(),
  datasetName: v.string(),
  settings: jobSettings,
  exportedTo: v.optional(filePath),
  /** Why it failed. */
  error: v.optional(v.string()),
  /** Whether it can go on: it was stopped or failed. */
  resumable: v.boolean(),
  layers: v.optional(count),
  /** The curve as a thumbnail: quality (a share) and loss by number of skipped blocks, the original first. */
  curve: v.array(v.object({ blocks: count, quality: v.number(), loss: v.number() })),
  /** Absent as long as the run has not settled on one. */
  chosenPoint: v.optional(count),
});
export type RunSummary = v.InferOutput<typeof runSummary>;

/** A round of the selection: the loss with each candidate skipped, and the block that was chosen. */
export const selectionRound = v.object({
  /** What decided: the loss without each block, for some strategies with more in it. */
  losses: v.record(v.string(), v.number()),
  /** Where it has: how much the loss alone is above the original's. */
  rises: v.optional(v.record(v.string(), v.number())),
  chosen: v.optional(blockName),
});
export type SelectionRound = v.InferOutput<typeof selectionRound>;

const range = v.object({ mean: v.number(), low: v.number(), high: v.number() });

/** A block's trained scales at one point of the curve; vectors as their mean and extremes. */
export const blockScales = v.object({
  name: blockName,
  block: v.optional(range),
  residual: v.optional(range),
  offset: v.optional(range),
  /** Of what the norm in front of the block gives. */
  gain: v.optional(range),
});
export type BlockScales = v.InferOutput<typeof blockScales>;

/** What a run has found so far, finished or not: a page that opens later draws from it. */
export const runFindings = v.object({
  rounds: v.array(selectionRound),
  /** Losses of the final training by number of skipped blocks. */
  training: v.record(v.string(), v.array(trainingEpoch)),
});
export type RunFindings = v.InferOutput<typeof runFindings>;

export const runDetails = v.object({
  summary: runSummary,
  report: v.optional(runReport),
  findings: runFindings,
  /** Trained scales by number of skipped blocks. */
  scales: v.record(v.string(), v.array(blockScales)),
  /** Numbers of skipped blocks that can be compared and exported: trained to the end, and measured. */
  trainedPoints: v.array(count),
});
export type RunDetails = v.InferOutput<typeof runDetails>;

const oneRun = v.object({ run: runId });

export const runRequests = {
  /** Newest first. */
  'runs.list': { input: v.undefined(), output: v.array(runSummary) },
  'runs.show': { input: oneRun, output: runDetails },
  /** Exported models stay. Answers with those that are left. */
  'runs.delete': { input: oneRun, output: v.array(runSummary) },
  'runs.rename': {
    input: v.object({ run: runId, title: v.pipe(v.string(), v.trim(), v.maxLength(200)) }),
    output: v.array(runSummary),
  },
  /** Opens the run's folder in the system's file manager. */
  'runs.reveal': { input: oneRun, output: v.undefined() },
} as const;

export const runEvents = {
  /** A run was added, changed its state or was deleted. */
  'runs.changed': v.array(runSummary),
} as const;
