/** A dataset as step 2 shows it: rows as the model will see them, and what will be left out. */
import path from 'node:path';
import { guessColumns, parseColumnMapping, type ColumnMapping } from '../data/columns.js';
import { readDataset, type RawDataset } from '../data/dataset.js';
import { encodeExamples, encodePrompts, type EncodedRow } from '../data/encode-examples.js';
import { isTextExample, toExamples, type Example } from '../data/examples.js';
import { countProblems, type RowProblem } from '../data/row-problems.js';
import { StreamingDecoder } from '../data/streaming-decoder.js';
import { lengthStatistics } from '../data/summary.js';
import { loadTokenizer, type ModelTokenizer } from '../data/tokenizer.js';
import { UserError } from '../../schema/errors.js';
import { splitExamples } from './parts/task.js';
import type { CheckedInput } from '../../shared/contract.js';
import { mappingText } from '../../shared/mapping-text.js';
import type { PreviewRow, TaskPreview, TaskWarning, TextPiece } from '../../shared/task.js';
import { defaultSettings } from '../../engine-process/job-options.js';

type Asked = CheckedInput<'task.open'>;

/** Fewer rows than these to calibrate on, or to judge by, earn a warning. */
const FEW_ROWS = 64;
const FEW_HELDOUT_ROWS = 32;
const SAMPLE_ROWS = 5;

/** @throws UserError if the file or the tokenizer cannot be read */
export async function previewTask(asked: Asked, modelFolder: string): Promise<TaskPreview> {
  const tokenizer = await loadTokenizer(modelFolder);
  const dataset = await readDataset(asked.dataset);
  let mapped: MappedDataset;
  try {
    mapped = mapColumns(dataset, asked.columns);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {
      state: 'columns-needed',
      ...datasetFacts(dataset, dataset.problems),
      message: error.message,
      ...saidSoFar(asked.columns),
    };
  }
  return readyPreview(asked, tokenizer, dataset, mapped);
}

interface MappedDataset {
  mapping: ColumnMapping;
  reason: string;
  guessed: boolean;
  examples: Example[];
  problems: RowProblem[];
}

function mapColumns(dataset: RawDataset, written: string | undefined): MappedDataset {
  const { mapping, reason } =
    written === undefined
      ? guessColumns(dataset)
      : { mapping: parseColumnMapping(written), reason: `Columns as you chose: ${written}.` };
  return { mapping, reason, guessed: written === undefined, ...toExamples(dataset, mapping) };
}

function readyPreview(
  asked: Asked,
  tokenizer: ModelTokenizer,
  dataset: RawDataset,
  { mapping, reason, guessed, examples, problems }: MappedDataset,
): TaskPreview {
  const settings = { ...defaultSettings(), ...withoutUndefined(asked) };
  const isText = examples.every(isTextExample);
  const hasResponses =
    isText || examples.some((example) => isTextExample(example) || example.response !== undefined);
  const responses = isText || (settings.responses === 'file' && hasResponses) ? 'file' : 'own';
  const sides = splitExamples(examples, settings);
  const encode = (side: readonly Example[]) =>
    encodeSide(tokenizer, side, responses, settings, asked.dataset);
  const calibration = encode(sides.calibration);
  const heldout = encode(sides.heldout);
  const rows = [...calibration.rows, ...heldout.rows];
  const allProblems = [...dataset.problems, ...problems, ...calibration.problems, ...heldout.problems];
  const split = {
    calibration: calibration.rows.length,
    heldout: heldout.rows.length,
    unused: examples.length - sides.calibration.length - sides.heldout.length,
  };
  const heldoutLines = new Set(heldout.rows.map((row) => row.line));
  return {
    state: 'ready',
    ...datasetFacts(dataset, allProblems),
    mapping: contractMapping(mapping),
    mappingText: mappingText(mapping),
    guessed,
    reason,
    hasResponses,
    isText,
    responses,
    preview: rows
      .toSorted((a, b) => a.line - b.line)
      .slice(0, asked.previewRows)
      .map((row) => previewRow(tokenizer, row, heldoutLines.has(row.line) ? 'heldout' : 'calibration')),
    lengths: lengthStatistics(
      rows.map((row) => row.ids.length),
      24,
    ),
    split,
    warnings: warningsOf(allProblems, split, tokenizer, isText),
  };
}

/** The contract's lists are not read-only. */
function contractMapping(mapping: ColumnMapping): Extract<TaskPreview, { state: 'ready' }>['mapping'] {
  if (mapping.kind !== 'prompt-response') return mapping;
  const { choices, ...rest } = mapping;
  return { ...rest, ...(choices === undefined ? {} : { choices: [...choices] }) };
}

/** Columns that were named but do not fit stay in the form, to be changed there. */
function saidSoFar(written: string | undefined) {
  if (written === undefined) return {};
  try {
    return { mapping: contractMapping(parseColumnMapping(written)) };
  } catch {
    return {};
  }
}

function encodeSide(
  tokenizer: ModelTokenizer,
  side: readonly Example[],
  responses: 'own' | 'file',
  settings: { maxTokens: number; overlong: 'cut' | 'drop' },
  file: string,
): { rows: EncodedRow[]; problems: RowProblem[] } {
  if (side.length === 0) return { rows: [], problems: [] };
  const { maxTokens, overlong } = settings;
  if (responses === 'file') return encodeExamples(tokenizer, side, { maxTokens, overlong, path: file });
  const { prompts, problems } = encodePrompts(tokenizer, side, { maxTokens: maxTokens - 1, path: file });
  return { rows: prompts.map(({ line, ids }) => ({ line, ids, responseStart: ids.length })), problems };
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
    count: problems.filter((problem) => kinds.includes(problem.kind)).length,
  });
  const warnings = [
    counted('duplicates', 'duplicate'),
    counted('cut-rows', 'cut'),
    counted('dropped-rows', 'too-long'),
    counted('unusable-rows', 'malformed', 'empty', 'no-response', 'unread'),
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

function withoutUndefined<T extends object>(given: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
}
