/** Answers of two models to held-out prompts, compared. */
import type { AnswerComparison } from '../../../schema/report.js';
import { answersEvent } from '../../../schema/events.js';
import { compareAnswers, type Answering } from '../../evaluate/compare-answers.js';
import type { Generator } from '../../generate/generator.js';
import { ResponseCache, cachedResponses } from '../../generate/response-cache.js';
import type { JobContext } from '../context.js';
import type { SourceModel } from './source-model.js';
import type { PreparedTask } from './task.js';

/**
 * @param count prompts at the most
 * @param batchRows prompts that run together; default: what the generators were opened with
 * @returns undefined where the task has no prompts or none are asked for
 * @throws CancelledError if stopped
 */
export async function heldoutAnswers(
  { original, slimmed }: Record<'original' | 'slimmed', Answering>,
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

/**
 * A model's answers, from the cache where it has them: what is learnt from own answers has asked for them already.
 * @param open called if there are prompts without an answer
 */
export function keptAnswers(
  { fingerprint }: Pick<SourceModel, 'fingerprint'>,
  { stopTokens }: Pick<PreparedTask, 'stopTokens'>,
  maxNewTokens: number,
  { cache }: Pick<JobContext, 'cache'>,
  open: () => Promise<Generator>,
): Answering {
  const kept = new ResponseCache(cache, fingerprint, { maxNewTokens, stopTokens });
  return {
    generate: async (prompts, settings) => (await cachedResponses(kept, open, prompts, settings)).responses,
  };
}
