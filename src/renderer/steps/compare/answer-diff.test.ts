import { expect, test } from 'vitest';
import { answerDiff, differingTokens, streamingDiff, type AnswerPart } from './answer-diff.js';

const marked = (parts: AnswerPart[]) =>
  parts.map(({ text, differs }) => (differs ? `[${text}]` : text)).join('');

test('words that only one answer has are marked in it', () => {
  const diff = answerDiff('21 + 26 = 47. #### 47', '21 + 26 = 37. #### 37');
  expect(marked(diff.original)).toBe('21 + 26 = [47]. #### [47]');
  expect(marked(diff.slimmed)).toBe('21 + 26 = [37]. #### [37]');
});

test('the same answers have no marks', () => {
  expect(marked(answerDiff('a b', 'a b').original)).toBe('a b');
});

test('while both stream, what one model has not said yet is no difference', () => {
  const diff = streamingDiff('Yan walks to the', 'Yan walks');
  expect(marked(diff.original)).toBe('Yan walks[] to the');
  expect(marked(diff.slimmed)).toBe('Yan walks[]');
});

test('very long answers are marked from the first difference on', () => {
  const long = 'word '.repeat(5000);
  const { slimmed } = answerDiff(`${long}end`, `${long}other end`);
  expect(slimmed.at(-1)).toEqual({ text: 'other end', differs: true });
});

test('differing tokens are counted on the longer answer', () => {
  expect(differingTokens(['a', 'b', 'c'], ['a', 'x', 'c', 'd'])).toBe(2);
  expect(differingTokens(['a'], ['a'])).toBe(0);
});
