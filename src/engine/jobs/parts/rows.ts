/** From a dataset file to rows of tokens: read, mapped, split, encoded. The only way that rows are made. */
import type { ColumnMapping } from '../../../schema/columns.js';
import { UserError } from '../../../schema/errors.js';
import type { JobSettings } from '../../../schema/settings.js';
import { asTold, guessColumns, parseColumnMapping } from '../../data/columns.js';
import { readDataset } from '../../data/dataset.js';
import type { RawDataset } from '../../data/raw-dataset.js';
import { encodeExamples, encodePrompts, refusalOf, type EncodeOptions } from '../../data/encode-examples.js';
import type { EncodedRow, ReadableRows } from '../../data/encoded-row.js';
import { toExamples } from '../../data/examples.js';
import { isTextExample, type Example } from '../../data/example.js';
import { countProblems, describeProblems, type RowProblem } from '../../data/row-problems.js';
import { splitRows } from '../../data/split.js';
import type { ModelTokenizer } from '../../data/tokenizer.js';

/** What of a job's settings decides its rows. */
export type RowSettings = Pick<
  JobSettings,
  | 'dataset'
  | 'columns'
  | 'textUnit'
  | 'responses'
  | 'calibrationRows'
  | 'heldoutRows'
  | 'calibrationTokens'
  | 'heldoutTokens'
  | 'calibrationRange'
  | 'heldoutRange'
  | 'maxTokens'
  | 'maxNewTokens'
  | 'overlong'
  | 'seed'
>;

export interface TaskRows {
  mapping: ColumnMapping;
  /** A sentence: which columns were taken, why, and whose answers are learnt from if not as asked. */
  reason: string;
  guessed: boolean;
  /** All that could be read. */
  examples: readonly Example[];
  calibration: readonly Example[];
  heldout: readonly Example[];
  /** Plain text has no prompts: all of it is learnt from. */
  isText: boolean;
  /** Whether the file brings answers that could be learnt from. */
  hasResponses: boolean;
  /** Whose answers are learnt from, as asked or as the data demand. */
  responses: 'own' | 'file';
  /** What reading and mapping found; encoding finds more. */
  problems: readonly RowProblem[];
}

/** What rows are read for. */
export interface RowReader {
  tokenizer: ModelTokenizer;
  model: ReadableRows;
}

/** @throws UserError if the file cannot be read or its columns make no task */
export async function readRows(reader: RowReader, settings: RowSettings): Promise<TaskRows> {
  return taskRows(
    reader,
    mapColumns(await readDataset(settings.dataset, settings), settings.columns),
    settings,
  );
}

/** A dataset with its columns understood. */
export type MappedRows = Pick<TaskRows, 'mapping' | 'reason' | 'guessed' | 'examples' | 'problems'>;

/** @throws UserError if the columns cannot be guessed or do not fit: the user has to say what they mean */
export function mapColumns(dataset: RawDataset, columns: string | undefined): MappedRows {
  const { mapping, reason } = columns === undefined ? guessColumns(dataset) : toldColumns(columns);
  const { examples, problems } = toExamples(dataset, mapping);
  const all = [...dataset.problems, ...problems];
  return { mapping, reason, guessed: columns === undefined, examples, problems: all };
}

function toldColumns(columns: string) {
  const mapping = parseColumnMapping(columns);
  return { mapping, reason: asTold(mapping) };
}

/** @throws UserError if there are too few rows to split, or the row ranges overlap */
export function taskRows(reader: RowReader, mapped: MappedRows, settings: RowSettings): TaskRows {
  const { examples, reason } = mapped;
  requireTwo(mapped, settings.dataset);
  const isText = examples.every(isTextExample);
  const hasResponses =
    isText || examples.some((example) => isTextExample(example) || example.response !== undefined);
  const responses = isText || (settings.responses === 'file' && hasResponses) ? 'file' : 'own';
  const otherwise =
    settings.responses === 'file' && responses === 'own'
      ? " The file brings no answers, so the model's own are learnt from."
      : '';
  const { problems, ...sides } = splitExamples(reader, examples, responses, settings);
  return {
    ...mapped,
    reason: `${reason}${otherwise}`,
    problems: [...mapped.problems, ...problems],
    ...sides,
    isText,
    hasResponses,
    responses,
  };
}

/** @throws UserError that says what is wrong with the others, where fewer than two rows can be used */
function requireTwo({ examples, problems }: MappedRows, dataset: string): void {
  if (examples.length > 1) return;
  const why = problems.length === 0 ? 'it holds no more' : describeProblems(countProblems(problems));
  throw new UserError(
    `${examples.length === 0 ? 'No row' : 'Only one row'} of ${dataset} can be used, and it takes two, one to learn from and one to judge by: ${why}.`,
  );
}

/** Which examples are calibrated on and which are held out. Rows that cannot be used are passed over where others can. */
function splitExamples(
  reader: RowReader,
  examples: readonly Example[],
  responses: TaskRows['responses'],
  settings: RowSettings,
): { calibration: Example[]; heldout: Example[]; problems: RowProblem[] } {
  const range = ({ first, last }: { first: number; last: number }) => examples.slice(first, last + 1);
  if (settings.calibrationRange && settings.heldoutRange) {
    const { calibrationRange, heldoutRange } = settings;
    if (calibrationRange.first <= heldoutRange.last && heldoutRange.first <= calibrationRange.last) {
      throw new UserError(
        'The calibration and held-out row ranges overlap; held-out rows must not be trained on.',
      );
    }
    return { calibration: range(calibrationRange), heldout: range(heldoutRange), problems: [] };
  }
  const problems: RowProblem[] = [];
  const isUsable = (index: number) => {
    const problem = refusalOf(
      reader.tokenizer,
      examples[index]!,
      responses === 'file' ? 'whole' : 'prompt',
      encodeOptions(responses, settings, reader.model),
    );
    if (problem) problems.push(problem);
    return problem === undefined;
  };
  // A budget of tokens draws on until it is used up, whatever has to be passed over.
  const counted = settings.calibrationRows !== undefined && settings.heldoutRows !== undefined;
  const split = splitRows(examples, {
    ...(counted && { isUsable }),
    calibrationRows: settings.calibrationRows,
    // A small dataset keeps most of its rows for calibration.
    heldoutRows: Math.min(settings.heldoutRows ?? Infinity, Math.max(1, Math.floor(examples.length / 3))),
    seed: settings.seed,
  });
  return {
    calibration: split.calibration.map((index) => examples[index]!),
    heldout: split.heldout.map((index) => examples[index]!),
    problems,
  };
}

function encodeOptions(
  responses: TaskRows['responses'],
  { maxTokens, overlong, dataset }: RowSettings,
  model: ReadableRows,
): EncodeOptions {
  // Room for one token of an answer of the model's own.
  return responses === 'file'
    ? { maxTokens, overlong, path: dataset, model }
    : { maxTokens: maxTokens - 1, path: dataset, model };
}

/**
 * Rows of one side as token ids: whole where the file's answers are learnt from; else the prompts alone, with the
 * response to begin at their end.
 */
export function encodeSide(
  { tokenizer, model }: RowReader,
  side: readonly Example[],
  responses: TaskRows['responses'],
  settings: RowSettings,
): { rows: EncodedRow[]; problems: RowProblem[] } {
  if (side.length === 0) return { rows: [], problems: [] };
  const options = encodeOptions(responses, settings, model);
  if (responses === 'file') return encodeExamples(tokenizer, side, options);
  const { prompts, problems } = encodePrompts(tokenizer, side, options);
  return { rows: prompts.map(({ line, ids }) => ({ line, ids, responseStart: ids.length })), problems };
}
