/** A task, ready to be learnt: its rows with the answers to learn from, the model's own generated or from the cache. */
import path from 'node:path';
import { answersEvent } from '../../../schema/events.js';
import { UserError } from '../../../schema/errors.js';
import type { TaskSummary } from '../../../schema/report.js';
import type { JobSettings } from '../../../schema/settings.js';
import { hashRows } from '../../data/content-hash.js';
import { stopTokenIds } from '../../data/conversation-text.js';
import { appendResponse, encodePrompts } from '../../data/encode-examples.js';
import type { EncodedRow } from '../../data/encoded-row.js';
import { isTextExample, type Example } from '../../data/example.js';
import { shownConversation } from '../../data/messages.js';
import { countProblems, describeProblems, type RowProblem } from '../../data/row-problems.js';
import { loadTokenizer, type ModelTokenizer } from '../../data/tokenizer.js';
import type { AnswerPrompt } from '../../evaluate/compare-answers.js';
import type { GenerationSettings } from '../../generate/generation-settings.js';
import { Generator } from '../../generate/generator.js';
import { ResponseCache, cachedResponses } from '../../generate/response-cache.js';
import type { KeptStream } from '../../loss/kept-stream.js';
import { sharesTokens } from '../../decoder/edit/distinct-tokens.js';
import type { JobContext } from '../context.js';
import type { MemoryPlanner } from './memory-plan.js';
import { AnswerStreams } from './answer-streams.js';
import { encodeSide, readRows, type RowReader, type TaskRows } from './rows.js';
import { usedRows, type Side } from './token-budget.js';
import type { SourceModel } from './source-model.js';

/** Rows for a trial before any work is done, of the first few that are looked at. */
const TRIAL_ROWS = 2;
const LOOKED_AT = 16;

export interface TaskPrompt extends AnswerPrompt {
  /** As it is shown, without what the chat template adds. */
  text: string;
}

export interface PreparedTask {
  name: string;
  tokenizer: ModelTokenizer;
  stopTokens: ReadonlySet<number>;
  calibration: EncodedRow[];
  heldout: EncodedRow[];
  /** Held-out prompts with the dataset's own answers; none for plain text. */
  prompts: TaskPrompt[];
  summary: TaskSummary;
  /** What the model's last layer gave for its own answers, if they were made just now. */
  kept?: KeptStream | undefined;
  /** Changes with the rows, their split and their responses. */
  fingerprint: string;
}

/**
 * @param planner says how answers are generated within the limit of memory
 * @param beforeAnswers what is tried on a few short rows before anything is generated
 * @throws UserError if the dataset or the tokenizer cannot be used; CancelledError if stopped while generating
 */
export async function prepareTask(
  model: SourceModel,
  settings: JobSettings,
  planner: MemoryPlanner,
  context: Pick<JobContext, 'cache' | 'signal' | 'on'>,
  beforeAnswers: (rows: readonly EncodedRow[]) => Promise<void> = async () => {},
): Promise<PreparedTask> {
  const tokenizer = await loadTokenizer(model.source.folder);
  const stopTokens = new Set(stopTokenIds(tokenizer));
  const reader = { tokenizer, model: model.decoder };
  const read = await readRows(reader, settings);
  const problems = [...read.problems];
  context.on({ type: 'columns', columns: read.reason, problems: countProblems(problems) });
  await beforeAnswers(trialRows(reader, read, settings));
  const used = {
    calibration: usedRows(reader, read, 'calibration', settings),
    heldout: usedRows(reader, read, 'heldout', settings),
  };
  problems.push(...used.calibration.problems, ...used.heldout.problems);
  const rows =
    read.responses === 'file'
      ? { calibration: used.calibration.rows, heldout: used.heldout.rows }
      : await withOwnAnswers(model, used, stopTokens, settings, planner, context);
  requireSide(rows.calibration, 'calibration', settings, problems);
  requireSide(rows.heldout, 'held-out', settings, problems);
  return {
    name: path.parse(settings.dataset).name,
    tokenizer,
    stopTokens,
    ...rows,
    prompts: answerPrompts(reader, heldoutExamples(read, rows.heldout), settings),
    summary: {
      columns: read.reason,
      calibrationRows: rows.calibration.length,
      heldoutRows: rows.heldout.length,
      calibrationTokens: rows.calibration.reduce((sum, row) => sum + row.ids.length, 0),
      problems: countProblems(problems),
      responses: read.responses,
    },
    fingerprint: hashRows([...rows.calibration, ...rows.heldout]),
  };
}

/** The shortest rows of the first few; where answers are not known yet, the end of a prompt stands for one. */
function trialRows(reader: RowReader, task: TaskRows, settings: JobSettings): EncodedRow[] {
  const { rows } = encodeSide(reader, task.calibration.slice(0, LOOKED_AT), task.responses, settings);
  return rows
    .filter(({ ids }) => ids.length > 1)
    .toSorted((a, b) => a.ids.length - b.ids.length)
    .slice(0, TRIAL_ROWS)
    .map((row) => ({ ...row, responseStart: Math.min(row.responseStart, row.ids.length - 1) }));
}

function requireSide(
  rows: readonly EncodedRow[],
  side: string,
  settings: JobSettings,
  problems: readonly RowProblem[],
): void {
  if (rows.length > 0) return;
  const lost = problems.length > 0 ? ` (${describeProblems(countProblems(problems))})` : '';
  throw new UserError(`${settings.dataset} leaves no rows for the ${side} side${lost}; give more rows.`);
}

function answerPrompts(
  { tokenizer, model }: RowReader,
  examples: readonly Example[],
  settings: JobSettings,
): TaskPrompt[] {
  const conversations = examples.flatMap((example) => (isTextExample(example) ? [] : [example]));
  if (conversations.length === 0) return [];
  const examplesByLine = new Map(conversations.map((example) => [example.line, example]));
  const { prompts } = encodePrompts(tokenizer, conversations, {
    maxTokens: settings.maxTokens - 1,
    path: settings.dataset,
    model,
  });
  return prompts.map(({ line, ids }) => {
    const { messages, response } = examplesByLine.get(line)!;
    return { line, ids, text: shownConversation(messages), expected: response };
  });
}

/** Those whose rows are used. */
function heldoutExamples(task: TaskRows, rows: readonly EncodedRow[]): Example[] {
  const lines = new Set(rows.map(({ line }) => line));
  return task.heldout.filter(({ line }) => lines.has(line));
}

/** @param prompts rows of both sides without their responses */
async function withOwnAnswers(
  model: SourceModel,
  prompts: Record<Side, { rows: readonly EncodedRow[] }>,
  stopTokens: ReadonlySet<number>,
  settings: JobSettings,
  planner: MemoryPlanner,
  { cache, signal, on }: Pick<JobContext, 'cache' | 'signal' | 'on'>,
): Promise<Record<Side, EncodedRow[]> & Pick<PreparedTask, 'kept'>> {
  const all = [...prompts.calibration.rows, ...prompts.heldout.rows];
  const streams = new AnswerStreams(all, settings.maxNewTokens, model.decoder.hiddenSize);
  // A model that rounds across the tokens of a batch gives others for the same tokens in another batch.
  const keepsStreams = planner.limit === undefined && sharesTokens(model.decoder);
  on({ type: 'stage', stage: 'collecting answers' });
  const generation: GenerationSettings = {
    maxNewTokens: settings.maxNewTokens,
    stopTokens,
    signal,
    onProgress: (answered) => on(answersEvent(answered, all.length)),
    onStream: (prompt, position, stream) => streams.take(prompt, position, stream),
  };
  const { responses } = await cachedResponses(
    new ResponseCache(cache, model.fingerprint, generation),
    async (missing) => {
      const plan = await planner.forGeneration(model.decoder, missing, settings.maxNewTokens);
      return await Generator.openForBatches(model.decoder, plan.runOptions, plan.batchRows, keepsStreams);
    },
    all.map((prompt) => prompt.ids),
    generation,
  );
  const answered = all.map((prompt, index) => {
    const row = appendResponse(prompt, responses[index]!.tokens);
    return { ...row, ids: row.ids.slice(0, settings.maxTokens) };
  });
  const border = prompts.calibration.rows.length;
  return {
    calibration: answered.slice(0, border),
    heldout: answered.slice(border),
    kept: keepsStreams ? streams.keptFor(answered) : undefined,
  };
}
