import { expect, test } from 'vitest';
import { choiceColumns, firstMapping, formOf, withChoice, withRole } from './column-roles.js';

const unnamed = ['column_1', 'column_2', 'column_3', 'column_4', 'column_5', 'column_6'];

test('a question with choices is found by names, wherever the columns stand', () => {
  expect(
    firstMapping('multiple-choice', ['id', 'answer', 'option_a', 'option_b', 'option_c', 'question']),
  ).toEqual({
    kind: 'prompt-response',
    prompt: 'question',
    choices: ['option_a', 'option_b', 'option_c'],
    response: 'answer',
  });
  expect(firstMapping('multiple-choice', ['question', 'choices', 'answerKey', 'subject'])).toMatchObject({
    choices: ['choices'],
    response: 'answerKey',
  });
});

test('without names by order: the question first, the answer last', () => {
  expect(firstMapping('multiple-choice', unnamed)).toEqual({
    kind: 'prompt-response',
    prompt: 'column_1',
    choices: ['column_2', 'column_3', 'column_4', 'column_5'],
    response: 'column_6',
  });
});

test('a column has one role at a time', () => {
  const mapping = firstMapping('multiple-choice', unnamed);
  const answered = withRole(mapping, 'response', 'column_2');
  expect(answered).toMatchObject({ response: 'column_2', choices: ['column_3', 'column_4', 'column_5'] });
  expect(withRole(mapping, 'response', 'column_1')).toMatchObject({
    prompt: 'column_6',
    response: 'column_1',
  });
  expect(choiceColumns(answered, unnamed)).toEqual(['column_3', 'column_4', 'column_5', 'column_6']);
});

test('choices come and go in the order of the file, the last one stays', () => {
  const two = firstMapping('multiple-choice', ['question', 'a', 'b', 'answer']);
  const one = withChoice(two, 'a', false, ['question', 'a', 'b', 'answer']);
  expect(one).toMatchObject({ choices: ['b'] });
  expect(withChoice(one, 'b', false, ['question', 'a', 'b', 'answer'])).toBe(one);
  expect(withChoice(one, 'a', true, ['question', 'a', 'b', 'answer'])).toEqual(two);
  expect(formOf(one)).toBe('multiple-choice');
});
