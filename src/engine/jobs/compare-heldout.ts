/** Both models' answers to a run's held-out prompts, worst disagreements first; kept in the run's folder. */
import {
  answerComparison,
  type AnswerComparison,
  type AnswerFigures,
  type AnswerRow,
} from '../../schema/report.js';
import type { HeldoutRow } from '../../schema/results.js';
import type { RunPoint } from '../../schema/runs.js';
import { disagreement, isExactMatch, isRight } from '../evaluate/answers.js';
import { readKept, writeKept } from '../runs/kept-json.js';
import type { JobContext } from './context.js';
import { heldoutAnswers } from './parts/answers.js';
import { withPair } from './parts/pairs.js';
import { openPoint, prepareRunTask, type OpenedPoint } from './parts/points.js';
import type { PreparedTask } from './parts/task.js';

/** Small batches, so that progress is seen; within a limit of memory as many as it allows. */
const BATCH_ROWS = 8;

export interface HeldoutComparison {
  rows: HeldoutRow[];
  /** Absent where the task has no prompts. */
  figures?: AnswerFigures;
}

/** @throws UserError if the dataset or the model has changed since the run; CancelledError if stopped */
export async function compareHeldout(request: RunPoint, context: JobContext): Promise<HeldoutComparison> {
  const point = await openPoint(request, context);
  const task = await prepareRunTask(point, context);
  if (task.prompts.length === 0) return { rows: [] };
  const file = context.store.answersFile(point.run, request.blocks);
  const answers =
    readKept(file, answerComparison) ?? (await generateAnswers(request, point, task, file, context));
  const prompts = new Map(task.prompts.map(({ line, text }) => [line, text]));
  const { rows, ...figures } = answers;
  return {
    figures,
    rows: rows
      .map((row) => heldoutRow(row, prompts.get(row.line) ?? ''))
      .toSorted((a, b) => severity(b) - severity(a) || a.line - b.line),
  };
}

async function generateAnswers(
  request: RunPoint,
  { run: { settings } }: OpenedPoint,
  task: PreparedTask,
  file: string,
  context: JobContext,
): Promise<AnswerComparison> {
  const { answerRows, maxNewTokens, memory } = settings;
  const batchRows = memory === undefined ? BATCH_ROWS : undefined;
  const answers = await withPair(request, context, (pair) =>
    heldoutAnswers(pair, task, Math.max(1, answerRows), maxNewTokens, context, batchRows),
  );
  writeKept(file, answers);
  return answers!;
}

function heldoutRow({ line, expected, original, slimmed }: AnswerRow, prompt: string): HeldoutRow {
  return {
    line,
    prompt,
    expected,
    original,
    slimmed,
    same: isExactMatch(slimmed, original),
    originalRight: expected === undefined ? undefined : isRight(original, expected),
    slimmedRight: expected === undefined ? undefined : isRight(slimmed, expected),
    disagreement: disagreement(original, slimmed),
  };
}

/** A right answer turned wrong is worst; among the others the share of words that differ decides. */
function severity(row: HeldoutRow): number {
  return row.disagreement + (row.originalRight && row.slimmedRight === false ? 1 : 0);
}
