/** One point of the curve as a model: in memory, and as a folder. */
import { makeLossBatch } from '../../loss/loss-batch.js';
import type { Granularity } from '../../decoder/scales.js';
import type { TrainedScales } from '../../calibrate/train/train-scales.js';
import type { Decoder } from '../../decoder/decoder.js';
import { insertScales } from '../../export/explicit-scales.js';
import { exportModel, type ExportRecord, type ExportResult } from '../../export/export-model.js';
import { applyWeightEdits, foldScales } from '../../export/fold-scales.js';
import { MemoryPlanner } from './memory-plan.js';
import type { SourceModel } from './source-model.js';
import type { PreparedTask } from './task.js';
import type { SlimReport } from '../../runs/report.js';
import { reportFigures } from '../../evaluate/figures.js';
import type { SessionOptions } from '../../runtime/session.js';
import { withSession, type SlimSettings } from './settings.js';

/** Rows whose logits are compared before an export is called done. */
const VERIFICATION_ROWS = 16;

/** The slimmed model in memory, scales folded in: the weights that change are read. */
function slimmedDecoder(model: SourceModel, trained: Pick<TrainedScales, 'skipped' | 'scales'>): Decoder {
  return applyWeightEdits(foldScales(model.decoder, trained.skipped, trained.scales));
}

/** The same as a generator opens it: run in segments, the scales stay beside the weights, which are not copied then. */
export function slimmedForAnswers(
  model: SourceModel,
  trained: Pick<TrainedScales, 'skipped' | 'scales'>,
  granularity: Granularity,
  session: SessionOptions,
): Decoder {
  return session.segments
    ? insertScales(model.decoder, trained.skipped, trained.scales, granularity)
    : slimmedDecoder(model, trained);
}

/** Writes one point of the curve as a model folder. */
export async function exportPoint(
  model: SourceModel,
  task: PreparedTask,
  trained: Pick<TrainedScales, 'skipped' | 'scales'>,
  report: SlimReport,
  settings: SlimSettings,
  output: string,
): Promise<ExportResult> {
  const point = report.points.find((candidate) => candidate.skipped.length === trained.skipped.length);
  const record: ExportRecord = {
    modelName: model.name,
    taskName: task.name,
    strategy: settings.strategy,
    granularity: settings.scales,
    figures: point ? reportFigures(report, point) : [],
  };
  const rows = task.heldout.slice(0, VERIFICATION_ROWS);
  return await withSession(settings, (session) =>
    exportModel({
      source: model.source,
      original: model.decoder,
      skipped: trained.skipped,
      scales: trained.scales,
      mode: settings.exportMode,
      output,
      verificationBatches: [makeLossBatch(model.decoder, rows, task.tokenizer.padTokenId)],
      record,
      session: new MemoryPlanner(settings.memory, session).forPasses(model.decoder),
    }),
  );
}
