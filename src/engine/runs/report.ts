/** What a finished (or unfinished) run has measured: plain data, kept as report.json. */
import { existsSync, readFileSync } from 'node:fs';
import { writeFileAtomically } from './atomic-file.js';
import type { TrainingEpoch } from './checkpoint.js';
import type { BlockName } from '../decoder/decoder.js';
import { UserError } from '../../schema/errors.js';
import type { AnswerComparison } from '../evaluate/compare-answers.js';
import type { HeldoutQuality } from '../evaluate/heldout-quality.js';
import type { SpeedFigures } from '../evaluate/speed/measure-speed.js';
import type { MemoryPlan } from '../jobs/parts/memory-plan.js';
import type { ProblemCount } from '../data/row-problems.js';

/** One point of the curve of quality against skipped blocks. */
export interface CurvePoint {
  skipped: BlockName[];
  withoutScales: HeldoutQuality;
  /** Undefined where this point's scales were not trained. */
  withScales: HeldoutQuality | undefined;
  /** Mean training loss with which selection chose the last of the blocks. */
  selectionLoss: number | undefined;
  training: { epochs: TrainingEpoch[]; bestEpoch: number } | undefined;
}

export interface TaskSummary {
  /** Columns as they were read, in words. */
  columns: string;
  calibrationRows: number;
  heldoutRows: number;
  calibrationTokens: number;
  problems: ProblemCount[];
  /** Whose answers the scales learn from. */
  responses: 'own' | 'file';
}

export interface SizeFigures {
  modelBytes: number;
  /** Bytes that each token adds to the KV cache; undefined without a cache. */
  cacheBytesPerToken: number | undefined;
}

export interface SlimReport {
  version: 1;
  layers: number;
  task: TaskSummary;
  /** Which figure of quality decides a quality budget: whole answers, or single tokens where answers are long. */
  qualityMeasure: QualityMeasure;
  original: HeldoutQuality;
  points: CurvePoint[];
  /** Number of skipped blocks of the point that the run settled on; undefined as long as it has not. */
  chosenPoint: number | undefined;
  answers: AnswerComparison | undefined;
  sizes: { original: SizeFigures; slimmed: SizeFigures } | undefined;
  speed: { original: SpeedFigures; slimmed: SpeedFigures } | undefined;
  exported: { folder: string; largestDifference: number } | undefined;
  /** Where memory was limited: how the model was run, and the most memory that the job's process took. */
  memory: { plans: MemoryPlan[]; peakBytes: number } | undefined;
  /** Seconds by stage. */
  seconds: Record<string, number>;
}

export type QualityMeasure = 'answers' | 'tokens';

/** The share that a quality budget looks at. */
export function qualityShare(quality: HeldoutQuality, measure: QualityMeasure): number {
  return measure === 'answers' ? quality.answerAccuracy.value : quality.tokenAccuracy.value;
}

export function saveReport(file: string, report: SlimReport): void {
  writeFileAtomically(file, JSON.stringify(report, undefined, 2));
}

/** @throws UserError if the run has no report yet or it cannot be read */
export function readReport(file: string): SlimReport {
  if (!existsSync(file))
    throw new UserError('The run has measured no point of its curve yet; let it go on (slim --resume).');
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SlimReport;
  } catch {
    throw new UserError(`The report ${file} cannot be read; resume the run to make it again.`);
  }
}
