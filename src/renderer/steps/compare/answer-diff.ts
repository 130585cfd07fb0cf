/** Where two answers differ. */
import { diffArrays, diffWordsWithSpace } from 'diff';

export interface AnswerPart {
  text: string;
  /** Whether the other answer lacks it. */
  differs: boolean;
}

export interface AnswerDiff {
  original: AnswerPart[];
  slimmed: AnswerPart[];
}

/** Longer answers are compared by their first difference alone: word by word would take too long. */
const LONGEST = 20_000;

export function answerDiff(original: string, slimmed: string): AnswerDiff {
  if (original.length + slimmed.length > LONGEST) return byFirstDifference(original, slimmed);
  const changes = diffWordsWithSpace(original, slimmed);
  return {
    original: changes
      .filter(({ added }) => !added)
      .map(({ value, removed }) => ({ text: value, differs: removed })),
    slimmed: changes
      .filter(({ removed }) => !removed)
      .map(({ value, added }) => ({ text: value, differs: added })),
  };
}

/** While answers stream, the shorter one is only compared as far as it goes. */
export function streamingDiff(original: string, slimmed: string): AnswerDiff {
  const length = Math.min(original.length, slimmed.length);
  const compared = byFirstDifference(original.slice(0, length), slimmed.slice(0, length));
  const rest = (text: string) => [{ text: text.slice(length), differs: false }];
  return {
    original: [...compared.original, ...rest(original)],
    slimmed: [...compared.slimmed, ...rest(slimmed)],
  };
}

/** How many of the longer answer's tokens are not those of the other. */
export function differingTokens(original: readonly string[], slimmed: readonly string[]): number {
  const same = diffArrays([...original], [...slimmed])
    .filter(({ added, removed }) => !added && !removed)
    .reduce((sum, { value }) => sum + value.length, 0);
  return Math.max(original.length, slimmed.length) - same;
}

function byFirstDifference(original: string, slimmed: string): AnswerDiff {
  let length = 0;
  while (length < original.length && original[length] === slimmed[length]) length += 1;
  const parts = (text: string): AnswerPart[] => [
    { text: text.slice(0, length), differs: false },
    { text: text.slice(length), differs: true },
  ];
  return { original: parts(original), slimmed: parts(slimmed) };
}
