/** From a dataset file to token rows: columns, split, template, answers to learn from. */
import path from 'node:path';
import { guessColumns, parseColumnMapping } from '../../data/columns.js';
import { stopTokenIds } from '../../data/conversation-text.js';
import { readDataset } from '../../data/dataset.js';
import {
  appendResponse,
  encodeExamples,
  encodePrompts,
  type EncodedRow,
} from '../../data/encode-examples.js';
import { isTextExample, toExamples, type Example } from '../../data/examples.js';
import { hashRows } from '../../data/content-hash.js';
import { countProblems, type RowProblem } from '../../data/row-problems.js';
import { splitRows } from '../../data/split.js';
import { loadTokenizer, type ModelTokenizer } from '../../data/tokenizer.js';
import { UserError } from '../../../schema/errors.js';
import type { AnswerPrompt } from '../../evaluate/compare-answers.js';
import { Generator, type GenerationSettings } from '../../generate/generator.js';
import { ResponseCache, cachedResponses } from '../../generate/response-cache.js';
import type { GenerationPlan } from './memory-plan.js';
import type { SourceModel } from './source-model.js';
import type { TaskSummary } from '../../runs/report.js';
import type { SessionOptions } from '../../runtime/session.js';
import type { SlimSettings } from './settings.js';

export interface PreparedTask {
  name: string;
  tokenizer: ModelTokenizer;
  stopTokens: ReadonlySet<number>;
  calibration: EncodedRow[];
  heldout: EncodedRow[];
  /** Held-out prompts with the dataset's own answers; none for plain text. */
  prompts: AnswerPrompt[];
  summary: TaskSummary;
  /** Changes with the rows, their split and their responses. */
  fingerprint: string;
}

export interface PrepareOptions {
  cacheFolder: string;
  session: SessionOptions;
  /** How answers to these prompts are generated; default: with `session`, the model run whole. */
  planGeneration?: (prompts: readonly (readonly number[])[]) => Promise<GenerationPlan>;
  signal?: AbortSignal;
  /** Called while the model's own answers are generated. */
  onAnswer?: (done: number, total: number) => void;
  /** Called with what was found in the dataset, before anything is generated. */
  onColumns?: (columns: string, problems: readonly RowProblem[]) => void;
}

/** @throws UserError if the dataset or the tokenizer cannot be used; CancelledError if stopped while generating */
export async function prepareTask(
  model: SourceModel,
  settings: SlimSettings,
  options: PrepareOptions,
): Promise<PreparedTask> {
  const tokenizer = await loadTokenizer(model.source.folder);
  const stopTokens = new Set(stopTokenIds(tokenizer));
  const dataset = await readDataset(settings.dataset);
  const columns = settings.columns
    ? { mapping: parseColumnMapping(settings.columns), reason: `columns as told: ${settings.columns}` }
    : guessColumns(dataset);
  const { examples, problems } = toExamples(dataset, columns.mapping);
  options.onColumns?.(columns.reason, [...dataset.problems, ...problems]);

  const { calibration, heldout } = splitExamples(examples, settings);
  const allProblems = [...dataset.problems, ...problems];
  const learnsFromFile = settings.responses === 'file' || examples.every(isTextExample);
  const encode = async (side: readonly Example[]): Promise<EncodedRow[]> => {
    const encoded = learnsFromFile
      ? encodeExamples(tokenizer, side, { ...limits(settings), path: settings.dataset })
      : await encodeWithOwnAnswers(model, side, tokenizer, stopTokens, settings, options);
    allProblems.push(...encoded.problems);
    return encoded.rows;
  };
  const rows = { calibration: await encode(calibration), heldout: await encode(heldout) };
  requireRows(rows.calibration, 'calibration', settings, allProblems);
  requireRows(rows.heldout, 'held-out', settings, allProblems);
  return {
    name: path.parse(settings.dataset).name,
    tokenizer,
    stopTokens,
    ...rows,
    prompts: answerPrompts(heldout, tokenizer, settings),
    summary: {
      columns: columns.reason,
      calibrationRows: rows.calibration.length,
      heldoutRows: rows.heldout.length,
      calibrationTokens: rows.calibration.reduce((sum, row) => sum + row.ids.length, 0),
      problems: countProblems(allProblems),
      responses: learnsFromFile ? 'file' : 'own',
    },
    fingerprint: hashRows([...rows.calibration, ...rows.heldout]),
  };
}

function requireRows(
  rows: readonly EncodedRow[],
  side: string,
  settings: SlimSettings,
  problems: readonly RowProblem[],
): void {
  if (rows.length > 0) return;
  const lost = problems.length > 0 ? ` (${problems.length} rows could not be used)` : '';
  throw new UserError(
    `${settings.dataset} leaves no rows for the ${side} side${lost}; give more rows, allow longer ones (--max-tokens) or choose another split.`,
  );
}

/** Which examples are calibrated on and which are held out. */
export function splitExamples(
  examples: readonly Example[],
  settings: Pick<
    SlimSettings,
    'calibrationRows' | 'heldoutRows' | 'seed' | 'calibrationRange' | 'heldoutRange'
  >,
): { calibration: Example[]; heldout: Example[] } {
  const range = ({ first, last }: { first: number; last: number }) => examples.slice(first, last + 1);
  if (settings.calibrationRange && settings.heldoutRange) {
    const { calibrationRange, heldoutRange } = settings;
    if (calibrationRange.first <= heldoutRange.last && heldoutRange.first <= calibrationRange.last) {
      throw new UserError(
        'The calibration and held-out row ranges overlap; held-out rows must not be trained on.',
      );
    }
    return { calibration: range(calibrationRange), heldout: range(heldoutRange) };
  }
  const split = splitRows(examples, {
    calibrationRows: settings.calibrationRows,
    // A small dataset keeps most of its rows for calibration.
    heldoutRows: Math.min(settings.heldoutRows, Math.max(1, Math.floor(examples.length / 3))),
    seed: settings.seed,
  });
  return {
    calibration: split.calibration.map((index) => examples[index]!),
    heldout: split.heldout.map((index) => examples[index]!),
  };
}

function limits(settings: SlimSettings): { maxTokens: number; overlong: 'cut' | 'drop' } {
  return { maxTokens: settings.maxTokens, overlong: settings.overlong };
}

function answerPrompts(
  examples: readonly Example[],
  tokenizer: ModelTokenizer,
  settings: SlimSettings,
): AnswerPrompt[] {
  const conversations = examples.flatMap((example) => (isTextExample(example) ? [] : [example]));
  if (conversations.length === 0) return [];
  const expected = new Map(conversations.map((example) => [example.line, example.response]));
  const { prompts } = encodePrompts(tokenizer, conversations, {
    maxTokens: settings.maxTokens - 1,
    path: settings.dataset,
  });
  return prompts.map(({ line, ids }) => ({ line, ids, expected: expected.get(line) }));
}

async function encodeWithOwnAnswers(
  model: SourceModel,
  examples: readonly Example[],
  tokenizer: ModelTokenizer,
  stopTokens: ReadonlySet<number>,
  settings: SlimSettings,
  options: PrepareOptions,
): Promise<{ rows: EncodedRow[]; problems: RowProblem[] }> {
  const { prompts, problems } = encodePrompts(tokenizer, examples, {
    maxTokens: settings.maxTokens - 1,
    path: settings.dataset,
  });
  const generation: GenerationSettings = {
    maxNewTokens: settings.maxNewTokens,
    stopTokens,
    ...(options.signal ? { signal: options.signal } : {}),
    onFinished: (_, done) => options.onAnswer?.(done, prompts.length),
  };
  const ids = prompts.map((prompt) => prompt.ids);
  const { responses } = await cachedResponses(
    new ResponseCache(options.cacheFolder, model.fingerprint, generation),
    async (missing) => {
      const plan = await options.planGeneration?.(missing);
      return await Generator.open(model.decoder, plan?.session ?? options.session, plan?.batchRows);
    },
    ids,
    generation,
  );
  const rows = prompts.map((prompt, index) => {
    const row = appendResponse(prompt, responses[index]!.tokens);
    return { ...row, ids: row.ids.slice(0, settings.maxTokens) };
  });
  return { rows, problems: [...problems] };
}
