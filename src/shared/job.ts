/** Step 4, calibrating: the job that runs, and what it tells. */
import * as v from 'valibot';
import { blockName } from '../schema/blocks.js';
import { candidate, choice, jobEvent, jobStage } from '../schema/events.js';
import { problemCount } from '../schema/problems.js';
import { curvePoint, heldoutQuality, qualityMeasure, runReport } from '../schema/report.js';
import { runFindings, runId, runSummary } from '../schema/runs.js';
import { count, positive } from '../schema/values.js';
import { jobRequest } from './job-settings.js';

export const jobStatus = v.picklist([
  /** No job since the app started. */
  'idle',
  'starting',
  'running',
  /** Asked to stop; what is being computed is still finished. */
  'stopping',
  'stopped',
  'finished',
  'failed',
  /** What was asked for cannot be had: going on would end there again. */
  'impossible',
  /** The engine's process died; nothing that was finished is lost. */
  'crashed',
]);
export type JobStatus = v.InferOutput<typeof jobStatus>;

/** All that is known about the job: what its events add up to (job-state.ts). */
export const jobState = v.object({
  status: jobStatus,
  run: v.optional(runSummary),
  /** One sentence, where the job failed, was impossible or crashed. */
  message: v.optional(v.string()),
  /** Milliseconds since 1970. */
  startedAt: v.optional(v.number()),
  endedAt: v.optional(v.number()),
  stage: v.optional(jobStage),
  /** One sentence: on which device it runs, and why. */
  device: v.optional(v.string()),
  /** How it is run within a limit of memory, by the kind of work. */
  memory: v.optional(v.object({ answers: v.optional(v.string()), calibration: v.optional(v.string()) })),
  columns: v.optional(v.string()),
  problems: v.array(problemCount),
  answers: v.optional(v.object({ done: count, total: count })),
  /** What is looked at now: a block, or a choice of several. */
  candidate: v.optional(candidate),
  choice: v.optional(choice),
  original: v.optional(heldoutQuality),
  measure: v.optional(qualityMeasure),
  ...runFindings.entries,
  /** Skipped blocks in the order in which they were chosen. */
  skipped: v.array(blockName),
  /** Epochs of the final training that runs now. */
  epochs: v.optional(v.object({ blocks: count, done: count, total: count })),
  points: v.array(curvePoint),
  /** Numbers of blocks whose points are still to be trained, where that is what the job does. */
  queued: v.optional(v.array(count)),
  progress: v.optional(
    v.object({ done: v.number(), total: v.number(), secondsLeft: v.optional(v.number()) }),
  ),
});
export type JobState = v.InferOutput<typeof jobState>;

export const jobRequests = {
  /** Only one job runs at a time. */
  'job.start': { input: jobRequest, output: runSummary },
  'job.resume': { input: v.object({ run: runId }), output: runSummary },
  /**
   * Trains more points of a finished run's curve, one after the other. While that goes on for the same run, more can be
   * added.
   */
  'job.train': {
    input: v.object({ run: runId, blocks: v.pipe(v.array(positive), v.minLength(1), v.maxLength(200)) }),
    output: runSummary,
  },
  /** Ends the job at the next gradient step; `job.resume` goes on from there. */
  'job.stop': { input: v.undefined(), output: v.undefined() },
  /** For a page that opens later. */
  'job.state': { input: v.undefined(), output: jobState },
} as const;

export const jobEvents = {
  'job.event': v.object({ run: runId, event: jobEvent }),
  /** The job's state as a whole, whenever its status changes. */
  'job.changed': jobState,
  /** With the point that was trained last, where that was the job. */
  'job.finished': v.object({ run: runSummary, report: runReport, point: v.optional(count) }),
  'job.failed': v.object({ run: runId, message: v.string(), status: v.picklist(['failed', 'impossible']) }),
  /** The engine's process died; with the run that was under way, if there was one. */
  'engine.crashed': v.object({ message: v.string(), run: v.optional(runId) }),
} as const;
