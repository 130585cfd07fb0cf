/** Answers of two models to the same held-out prompts: each against the expected ones, and against each other. */
import type { AnswerComparison, AnswerScores } from '../../schema/report.js';
import type { Estimate } from '../../schema/values.js';
import { throwIfCancelled } from '../../schema/errors.js';
import type { GenerationSettings } from '../generate/generation-settings.js';
import type { Generator } from '../generate/generator.js';
import { isExactMatch, isNumericMatch } from './answers.js';
import { shareEstimate } from './intervals.js';

export interface AnswerPrompt {
  line: number;
  ids: readonly number[];
  /** From the dataset; undefined where it brings none. */
  expected: string | undefined;
}

/** A generator, or what stands for one whose answers are kept. */
export type Answering = Pick<Generator, 'generate'>;

/**
 * @param decode text of generated tokens, special tokens left out
 * @throws CancelledError if the signal is triggered
 */
export async function generateAnswers(
  generator: Answering,
  prompts: readonly AnswerPrompt[],
  settings: GenerationSettings,
  decode: (tokens: readonly number[]) => string,
): Promise<string[]> {
  const generated = await generator.generate(
    prompts.map((prompt) => prompt.ids),
    settings,
  );
  return generated.map(({ tokens }) =>
    decode(tokens.filter((token) => !settings.stopTokens.has(token))).trim(),
  );
}

/**
 * @param settings progress counts the answers of both
 * @throws CancelledError if the signal is triggered
 */
export async function compareAnswers(
  original: Answering,
  slimmed: Answering,
  prompts: readonly AnswerPrompt[],
  settings: GenerationSettings,
  decode: (tokens: readonly number[]) => string,
): Promise<AnswerComparison> {
  const before = await generateAnswers(original, prompts, settings, decode);
  throwIfCancelled(settings.signal);
  const onProgress = (answered: number) => settings.onProgress?.(prompts.length + answered);
  const after = await generateAnswers(slimmed, prompts, { ...settings, onProgress }, decode);
  return {
    prompts: prompts.length,
    original: scoreAnswers(before, prompts),
    slimmed: scoreAnswers(after, prompts),
    same: shareEstimate(
      before.filter((answer, index) => isExactMatch(after[index]!, answer)).length,
      prompts.length,
    ),
    rows: prompts.map(({ line, expected }, index) => ({
      line,
      expected,
      original: before[index]!,
      slimmed: after[index]!,
    })),
  };
}

export function scoreAnswers(answers: readonly string[], prompts: readonly AnswerPrompt[]): AnswerScores {
  const exact: boolean[] = [];
  const numeric: boolean[] = [];
  answers.forEach((answer, index) => {
    const { expected } = prompts[index]!;
    if (expected === undefined) return;
    exact.push(isExactMatch(answer, expected));
    const match = isNumericMatch(answer, expected);
    if (match !== undefined) numeric.push(match);
  });
  return { exactMatch: shareOf(exact), numericMatch: shareOf(numeric) };
}

function shareOf(results: readonly boolean[]): Estimate | undefined {
  return results.length === 0 ? undefined : shareEstimate(results.filter(Boolean).length, results.length);
}
