/** A dataset as the model will see it: rows with their parts, and what will be left out. */
import path from 'node:path';
import { mappingText, type ColumnMapping, type TextUnit } from '../../schema/columns.js';
import { UserError } from '../../schema/errors.js';
import type { PreviewRow, TaskPreview, TaskWarning, TextPiece } from '../../schema/results.js';
import type { JobChoices } from '../../schema/settings.js';
import type { ModelChoice } from '../../schema/values.js';
import { parseColumnMapping } from '../data/columns.js';
import { readDataset } from '../data/dataset.js';
import type { RawDataset } from '../data/raw-dataset.js';
import { countProblems, type RowProblem } from '../data/row-problems.js';
import { StreamingDecoder } from '../data/streaming-decoder.js';
import { lengthStatistics } from '../data/summary.js';
import type { EncodedRow } from '../data/encoded-row.js';
import { loadTokenizer, type ModelTokenizer } from '../data/tokenizer.js';
import type { JobContext } from './context.js';
import {
  mapColumns,
  taskRows,
  type MappedRows,
  type RowReader,
  type RowSettings,
  type TaskRows,
} from './parts/rows.js';
import { onnxModel } from './parts/imported-model.js';
import { checkedSettings } from './parts/settings.js';
import { usedRows } from './parts/token-budget.js';

/** Fewer rows than these to calibrate on, or to judge by, earn a warning. */
const FEW_ROWS = 64;
const FEW_HELDOUT_ROWS = 32;
const SAMPLE_ROWS = 5;
const HISTOGRAM_BINS = 24;

/** What of a job's settings shows in the preview; what is left out is as the job has it by default. */
export type PreviewRequest = ModelChoice & {
  dataset: string;
  columns?: string;
  textUnit?: TextUnit;
  /** Rows shown. */
  previewRows: number;
} & Pick<
    JobChoices,
    | 'responses'
    | 'calibrationTokens'
    | 'heldoutTokens'
    | 'calibrationRows'
    | 'heldoutRows'
    | 'maxTokens'
    | 'maxNewTokens'
    | 'overlong'
    | 'seed'
  >;

/** @throws UserError if the file or the tokenizer cannot be read */
export async function previewTask(request: PreviewRequest, context: JobContext): Promise<TaskPreview> {
  const { previewRows, ...given } = request;
  const settings = checkedSettings(given);
  const model = await context.kept.model(await onnxModel(request, context), context.memory);
  const tokenizer = await loadTokenizer(model.source.folder);
  const dataset = await readDataset(settings.dataset, settings);
  let mapped: MappedRows;
  try {
    mapped = mapColumns(dataset, settings.columns);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {
      state: 'columns-needed',
      ...datasetFacts(dataset, dataset.problems),
      message: error.message,
      mapping: saidSoFar(settings.columns),
    };
  }
  const reader = { tokenizer, model: model.decoder };
  return readyPreview(reader, taskRows(reader, mapped, settings), previewRows, settings, dataset);
}

function readyPreview(
  reader: RowReader,
  task: TaskRows,
  previewRows: number,
  settings: RowSettings,
  dataset: RawDataset,
): TaskPreview {
  const { tokenizer } = reader;
  const calibration = usedRows(reader, task, 'calibration', settings);
  const heldout = usedRows(reader, task, 'heldout', settings);
  const rows = [...calibration.rows, ...heldout.rows];
  const problems = [...task.problems, ...calibration.problems, ...heldout.problems];
  const drawn = task.calibration.length + task.heldout.length;
  const passedOver = new Set(task.problems.map(({ line }) => line));
  const split = {
    calibration: calibration.rows.length,
    heldout: heldout.rows.length,
    unused:
      task.examples.filter(({ line }) => !passedOver.has(line)).length -
      drawn +
      calibration.unused +
      heldout.unused,
  };
  const heldoutLines = new Set(heldout.rows.map((row) => row.line));
  const { mapping, guessed, reason, hasResponses, isText, responses } = task;
  return {
    state: 'ready',
    ...datasetFacts(dataset, problems),
    mapping,
    mappingText: mappingText(mapping),
    guessed,
    reason,
    hasResponses,
    isText,
    responses,
    preview: rows
      .toSorted((a, b) => a.line - b.line)
      .slice(0, previewRows)
      .map((row) => previewRow(tokenizer, row, heldoutLines.has(row.line) ? 'heldout' : 'calibration')),
    lengths: lengthStatistics(
      rows.map((row) => row.ids.length),
      HISTOGRAM_BINS,
    ),
    split,
    warnings: warningsOf(problems, split, tokenizer, isText),
  };
}

/** Columns that were named but do not fit stay in the form, to be changed there. */
function saidSoFar(written: string | undefined): ColumnMapping | undefined {
  if (written === undefined) return undefined;
  try {
    return parseColumnMapping(written);
  } catch {
    return undefined;
  }
}

function previewRow(tokenizer: ModelTokenizer, row: EncodedRow, side: PreviewRow['side']): PreviewRow {
  const specials = new Set(tokenizer.specialTokens.values());
  const decoder = new StreamingDecoder(tokenizer, { skipSpecialTokens: false });
  const pieces: TextPiece[] = [];
  const add = (text: string, index: number, special: boolean) => {
    const part = index < row.responseStart ? 'prompt' : 'response';
    const last = pieces.at(-1);
    if (last?.part === part && !last.special && !special) last.text += text;
    else if (text !== '') pieces.push({ text, part, special });
  };
  for (const [index, id] of row.ids.entries()) add(decoder.push(id), index, specials.has(id));
  add(decoder.finish(), row.ids.length - 1, false);
  return {
    line: row.line,
    side,
    pieces,
    promptTokens: row.responseStart,
    responseTokens: row.ids.length - row.responseStart,
  };
}

function datasetFacts(dataset: RawDataset, problems: readonly RowProblem[]) {
  return {
    dataset: dataset.path,
    name: path.parse(dataset.path).name,
    format: dataset.format,
    rows: dataset.rows.length,
    columns: dataset.columns,
    samples: dataset.rows.slice(0, SAMPLE_ROWS).map((row) => textValues(row.values)),
    problems: countProblems(problems),
  };
}

function warningsOf(
  problems: readonly RowProblem[],
  split: { calibration: number; heldout: number },
  tokenizer: ModelTokenizer,
  isText: boolean,
): TaskWarning[] {
  const counted = (kind: TaskWarning['kind'], ...kinds: RowProblem['kind'][]): TaskWarning => ({
    kind,
    count: problems
      .filter((problem) => kinds.includes(problem.kind))
      .reduce((sum, { rows = 1 }) => sum + rows, 0),
  });
  const warnings = [
    counted('duplicates', 'duplicate'),
    counted('cut-rows', 'cut'),
    counted('dropped-rows', 'too-long'),
    counted('unusable-rows', 'malformed', 'empty', 'no-response', 'unknown-token', 'unread'),
  ].filter(({ count }) => count > 0);
  if (split.calibration < FEW_ROWS) warnings.push({ kind: 'few-rows', count: split.calibration });
  if (split.heldout < FEW_HELDOUT_ROWS) warnings.push({ kind: 'few-heldout', count: split.heldout });
  if (!isText && tokenizer.chatTemplate === undefined) warnings.push({ kind: 'no-template', count: 0 });
  return warnings;
}

function textValues(values: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([column, value]) => [
      column,
      (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).slice(0, 300),
    ]),
  );
}
