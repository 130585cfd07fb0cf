/** Answers of two models to held-out prompts, compared. */
import type { AnswerComparison } from '../../../schema/report.js';
import { answersEvent } from '../../../schema/events.js';
import { compareAnswers } from '../../evaluate/compare-answers.js';
import type { JobContext } from '../context.js';
import type { GeneratorPair } from './kept-models.js';
import type { PreparedTask } from './task.js';

/**
 * @param count prompts at the most
 * @param batchRows prompts that run together; default: what the generators were opened with
 * @returns undefined where the task has no prompts or none are asked for
 * @throws CancelledError if stopped
 */
export async function heldoutAnswers(
  { original, slimmed }: GeneratorPair,
  task: PreparedTask,
  count: number,
  maxNewTokens: number,
  { signal, giveWay, on }: Pick<JobContext, 'signal' | 'giveWay' | 'on'>,
  batchRows?: number,
): Promise<AnswerComparison | undefined> {
  const prompts = task.prompts.slice(0, count);
  if (prompts.length === 0) return undefined;
  return await compareAnswers(
    original,
    slimmed,
    prompts,
    {
      maxNewTokens,
      stopTokens: task.stopTokens,
      batchRows,
      signal,
      giveWay,
      onProgress: (answered) => on(answersEvent(answered, 2 * prompts.length)),
    },
    (tokens) => task.tokenizer.decode(tokens, { skipSpecialTokens: true }),
  );
}
