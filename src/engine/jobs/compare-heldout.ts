/** Both models' answers to a run's held-out prompts, worst disagreements first; kept in the run's folder. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { diffWordsWithSpace } from 'diff';
import { writeFileAtomically } from '../runs/atomic-file.js';
import { isExactMatch, isNumericMatch } from '../evaluate/answers.js';
import { compareAnswers, type AnswerComparison, type AnswerRow } from '../evaluate/compare-answers.js';
import type { GenerationSettings } from '../generate/generator.js';
import type { PreparedTask } from './parts/task.js';
import type { CheckedInput, RequestOutput } from '../../shared/contract.js';
import type { HeldoutRow } from '../../shared/compare.js';
import type { EngineContext } from '../../engine-process/engine-context.js';
import type { ModelPair, ModelPairs } from '../../engine-process/model-pair.js';
import { prepareRunTask, type TrainedPoint } from './parts/run-point.js';

type Asked = CheckedInput<'compare.heldout'>;

/**
 * @param pairs asked for the models only if the answers are not there yet
 * @throws UserError if the dataset or the model has changed; CancelledError if stopped
 */
export async function heldoutAnswers(
  context: EngineContext,
  point: TrainedPoint,
  asked: Asked,
  pairs: ModelPairs,
  turns: Pick<GenerationSettings, 'signal' | 'giveWay'>,
): Promise<RequestOutput<'compare.heldout'>> {
  const task = await prepareRunTask(context, point);
  if (task.prompts.length === 0) return { rows: [] };
  const answers =
    keptAnswers(context, point, asked.blocks) ??
    (await pairs.use(asked, (pair) => generateAnswers(context, point, task, asked, pair, turns)));
  const prompts = new Map(task.prompts.map((prompt) => [prompt.line, promptText(task, prompt.ids)]));
  const { rows, ...figures } = answers;
  return {
    figures,
    rows: rows
      .map((row) => heldoutRow(row, prompts.get(row.line) ?? ''))
      .toSorted((a, b) => severity(b) - severity(a) || a.line - b.line),
  };
}

function keptAnswers(
  context: EngineContext,
  point: TrainedPoint,
  blocks: number,
): AnswerComparison | undefined {
  if (point.report?.answers && point.report.chosenPoint === blocks) return point.report.answers;
  const file = answersFile(context, point, blocks);
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as AnswerComparison;
  } catch {
    return undefined;
  }
}

async function generateAnswers(
  context: EngineContext,
  point: TrainedPoint,
  task: PreparedTask,
  asked: Asked,
  pair: ModelPair,
  turns: Pick<GenerationSettings, 'signal' | 'giveWay'>,
): Promise<AnswerComparison> {
  const { answerRows, maxNewTokens } = point.run.settings;
  const prompts = task.prompts.slice(0, Math.max(1, answerRows));
  let done = 0;
  const answers = await compareAnswers(
    pair.original,
    pair.slimmed,
    prompts,
    {
      maxNewTokens,
      stopTokens: task.stopTokens,
      // Small batches, for the progress; within a limit of memory as many as it allows.
      ...(point.run.settings.memory === undefined ? { batchRows: 8 } : {}),
      ...turns,
      onFinished: () => {
        done += 1;
        context.emit('compare.progress', {
          ticket: asked.ticket,
          what: 'answers',
          done,
          total: 2 * prompts.length,
        });
      },
    },
    (tokens) => task.tokenizer.decode(tokens, { skipSpecialTokens: true }),
  );
  writeFileAtomically(answersFile(context, point, asked.blocks), JSON.stringify(answers));
  return answers;
}

function answersFile({ store }: EngineContext, { run }: TrainedPoint, blocks: number): string {
  return path.join(store.folderOf(run.id), `answers-${blocks}.json`);
}

function heldoutRow({ line, expected, original, slimmed }: AnswerRow, prompt: string): HeldoutRow {
  return {
    line,
    prompt,
    original,
    slimmed,
    same: isExactMatch(slimmed, original),
    disagreement: disagreement(original, slimmed),
    ...(expected === undefined
      ? {}
      : { expected, originalRight: isRight(original, expected), slimmedRight: isRight(slimmed, expected) }),
  };
}

function isRight(answer: string, expected: string): boolean {
  return isNumericMatch(answer, expected) ?? isExactMatch(answer, expected);
}

/** A right answer turned wrong is worst; among the others the share of words that differ decides. */
function severity(row: HeldoutRow): number {
  return row.disagreement + (row.originalRight && row.slimmedRight === false ? 1 : 0);
}

/** Share of characters in words that only one of the two has. */
export function disagreement(original: string, slimmed: string): number {
  if (isExactMatch(original, slimmed)) return 0;
  const changes = diffWordsWithSpace(original, slimmed);
  const length = (part: { value: string }) => part.value.length;
  const changed = changes
    .filter((part) => part.added || part.removed)
    .reduce((sum, part) => sum + length(part), 0);
  const common = changes
    .filter((part) => !part.added && !part.removed)
    .reduce((sum, part) => sum + length(part), 0);
  return Math.min(1, changed / Math.max(1, changed + 2 * common));
}

/** The prompt without the chat template's own tokens. */
function promptText({ tokenizer }: PreparedTask, ids: readonly number[]): string {
  return tokenizer.decode(ids, { skipSpecialTokens: true }).trim();
}
