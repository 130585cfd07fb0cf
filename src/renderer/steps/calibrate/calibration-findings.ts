/** What the calibration page draws: of the job that runs, or of a run that was opened. */
import type { BlockName } from '../../../schema/blocks.js';
import type { TrainingEpoch } from '../../../schema/report.js';
import type { RunDetails } from '../../../schema/runs.js';
import type { JobState, JobStatus } from '../../../shared/job.js';
import type { Session } from '../../state/session.svelte.js';
import type { KindChoice } from '../../curve/kinds.js';
import { chosenRises } from '../../curve/loss-rises.js';
import { withEstimates } from '../../curve/estimated-points.js';
import { keepLast } from '../../state/keep-last.js';
import { curveSeries, type CurveEntry, type QualityMeasure } from '../../curve/curve-series.js';

/** Whether a point of the curve beside the original, a step of learning or a skipped block is there to be shown. */
export function hasFindings({ curve, training, skipped }: CalibrationFindings): boolean {
  return curve.length > 1 || Object.keys(training).length > 0 || skipped.length > 0;
}

export interface CalibrationFindings {
  skipped: readonly BlockName[];
  /** How much the loss rose with each skipped block, where it is known. */
  rises: (number | undefined)[];
  curve: CurveEntry[];
  measure: QualityMeasure;
  training: Record<string, TrainingEpoch[]>;
  /** The point whose scales are learnt now. */
  trainedNow: string | undefined;
  epochs: number;
  /** Largest number of blocks that is aimed at. */
  budget: number;
  kind: KindChoice | undefined;
  seconds: number | undefined;
  status: JobStatus;
  /** Why it failed. */
  message: string | undefined;
}

export function calibrationFindings(session: Session): CalibrationFindings | undefined {
  if (session.showsJob) return ofJob(session.job.state);
  const details = session.result.details.value;
  return details && ofRun(details);
}

function ofJob(job: JobState): CalibrationFindings {
  const measure = job.measure ?? 'answers';
  const settings = job.run!.settings;
  const { startedAt, endedAt } = job;
  const rises = jobRises(job.rounds, job.original?.loss.value);
  return {
    skipped: job.skipped,
    rises,
    curve: jobEstimates(jobCurve(job.original, job.points, measure), rises),
    measure,
    training: job.training,
    trainedNow: job.epochs && String(job.epochs.blocks),
    epochs: job.epochs?.total ?? settings.training?.epochs ?? 0,
    budget: settings.budget?.kind === 'blocks' ? settings.budget.blocks : 0,
    kind: settings.kind,
    seconds: startedAt !== undefined && endedAt !== undefined ? (endedAt - startedAt) / 1000 : undefined,
    status: job.status,
    message: job.message,
  };
}

function ofRun({ summary, report, findings }: RunDetails): CalibrationFindings {
  const measure = report?.qualityMeasure ?? 'answers';
  const { budget, kind } = summary.settings;
  const rises = chosenRises(findings.rounds, report?.original.loss.value);
  return {
    skipped: findings.rounds.flatMap(({ chosen }) => (chosen === undefined ? [] : [chosen])),
    rises,
    curve: withEstimates(curveSeries(report?.original, report?.points ?? [], measure), rises),
    measure,
    training: findings.training,
    trainedNow: undefined,
    epochs: 0,
    budget: budget?.kind === 'blocks' ? budget.blocks : 0,
    kind,
    seconds: report && Object.values(report.seconds).reduce((sum, value) => sum + value, 0),
    status: summary.status === 'damaged' ? 'failed' : summary.status,
    message: summary.error,
  };
}

/** While a job runs, only what an event changes is made anew. */
const jobCurve = keepLast(curveSeries);
const jobRises = keepLast(chosenRises);
const jobEstimates = keepLast(withEstimates);
