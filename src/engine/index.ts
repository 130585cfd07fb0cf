/**
 * The engine's face: all that a shell (command line, app, benchmark, another program) may import. Every job has the
 * form (request, context) -> result, tells its progress as events and stops through the context's signal.
 */
export { jobContext, type Device, type JobContext } from './jobs/context.js';
export { compareHeldout, type HeldoutComparison } from './jobs/compare-heldout.js';
export { comparePrompt, type PromptRequest } from './jobs/compare-prompt.js';
export { compareList, newComparison } from './jobs/compare-list.js';
export { comparisonDetails, deleteComparison, listComparisons, voteOn } from './jobs/comparisons.js';
export { describeModel } from './jobs/describe-model.js';
export { estimate, type EstimateRequest } from './jobs/estimate.js';
export { evaluate, type EvaluateRequest, type Evaluation } from './jobs/evaluate.js';
export {
  exportPoint,
  nameProblem,
  previewExport,
  suggestName,
  type ExportRequest,
} from './jobs/export-point.js';
export { foreseeImport } from './jobs/foresee-import.js';
export { importModel, type ImportRequest, type ImportResult } from './jobs/import-model.js';
export { deleteImported, listImported, type KeptImport } from './jobs/imported-models.js';
export { measureBlocks, type BlockTimes, type BlockTimesRequest } from './jobs/measure-blocks.js';
export { measureModels, type SpeedRequest } from './jobs/measure-models.js';
export { measurePoint } from './jobs/measure-point.js';
export { measureStep, type StepFigures, type StepRequest } from './jobs/measure-step.js';
export { previewTask, type PreviewRequest } from './jobs/preview-task.js';
export { slim, type SlimRequest, type SlimResult } from './jobs/slim.js';
export { hasProgress } from './jobs/parts/finished-run.js';
export { trainPoint } from './jobs/train-point.js';
export { writeReport, type ReportRequest, type WrittenReport } from './jobs/write-report.js';
export { KeptModels } from './jobs/parts/kept-models.js';
export { planWay } from './jobs/parts/memory-plan.js';
export { checkedSettings, defaultSettings, defaultTrainings } from './jobs/parts/settings.js';
export { openModel, type SourceModel } from './jobs/parts/source-model.js';
export type { ComparedModels } from './jobs/parts/pairs.js';

export { RunStore } from './runs/run-store.js';
export { runDetails, runSummary, listRuns, keptReport } from './runs/run-details.js';

export { SELECTION_STRATEGIES } from './calibrate/select/select-blocks.js';
export { describeProblems } from './data/row-problems.js';
export { savingsOf } from './decoder/describe.js';
export {
  answerFigures,
  formatBytes,
  pointFigures,
  qualityFigures,
  resourceFigures,
  type FigureRow,
} from './evaluate/figures.js';
export { TimedModel } from './evaluate/speed/timed-model.js';
export type { TimingChannel, TimingReply, TimingRequest } from './evaluate/speed/measure-speed.js';
export { providersInOrder, tryProvider } from './runtime/providers.js';

export * from '../schema/blocks.js';
export * from '../schema/columns.js';
export * from '../schema/cuts.js';
export {
  comparisonSettings,
  type ComparedModel,
  type ComparisonDetails,
  type ComparisonSettings,
  type ComparisonSummary,
} from '../schema/comparison.js';
export { bytesWithCuts, type CutSizes } from '../schema/cut-sizes.js';
export * from '../schema/errors.js';
export { forUsers } from '../schema/plain-words.js';
export type { JobEvent, JobListener, JobStage, Side } from '../schema/events.js';
export type { ProblemCount } from '../schema/problems.js';
export type {
  AnswerFigures,
  CurvePoint,
  HeldoutQuality,
  MemoryPlan,
  ResourceFigures,
  RunReport,
  SpeedFigures,
} from '../schema/report.js';
export type {
  Answer,
  ExportPreview,
  ExportResult,
  HeldoutRow,
  JobEstimate,
  PromptComparison,
  TaskPreview,
} from '../schema/results.js';
export type { Run, RunDetails, RunFindings, RunPoint, RunSummary } from '../schema/runs.js';
export {
  PROVIDER_NAMES,
  exportMode,
  granularity,
  responses,
  skippedKind,
  trainingChoices,
  type JobChoices,
  type JobSettings,
  type JobSettingsInput,
  type Provider,
} from '../schema/settings.js';
export type { ModelChoice } from '../schema/values.js';
