import type { ColumnMapping } from '../../schema/columns.js';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { guessColumns, parseColumnMapping, requireColumns } from './columns.js';
import { readDataset } from './dataset.js';
import type { RawDataset } from './raw-dataset.js';
import { columnsOf, rowValues } from './raw-values.js';
import { sampleFolder, sharedPath } from '../../../test/support/shared-folder.js';

function dataset(...values: Record<string, unknown>[]): RawDataset {
  const rows = values.map((row, index) => ({ line: index + 1, values: rowValues(Object.entries(row)) }));
  return { path: 'rows.jsonl', format: 'jsonl', columns: columnsOf(rows), rows, problems: [] };
}

const guess = (...values: Record<string, unknown>[]): ColumnMapping =>
  guessColumns(dataset(...values)).mapping;
const prompt = (name: string, rest: object = {}): unknown => ({
  kind: 'prompt-response',
  prompt: name,
  ...rest,
});

describe('guessing columns', () => {
  const messages = [{ role: 'user', content: 'q' }];

  test('conversations, also as JSON text and in the ShareGPT way', () => {
    expect(guess({ id: 1, messages })).toEqual({ kind: 'messages', messages: 'messages' });
    expect(guess({ Messages: JSON.stringify(messages) })).toEqual({ kind: 'messages', messages: 'Messages' });
    expect(guess({ conversations: [{ from: 'human', value: 'q' }] })).toEqual({
      kind: 'messages',
      messages: 'conversations',
    });
    expect(guess({ dialogue: 'A: hello', summary: 's' })).toEqual(
      prompt('dialogue', { response: 'summary' }),
    );
  });

  test('prompts that are conversations (TRL), and passages with questions (SQuAD)', () => {
    expect(guess({ prompt: messages, completion: [{ role: 'assistant', content: 'a' }] })).toEqual(
      prompt('prompt', { response: 'completion' }),
    );
    const squad = { title: 't', context: 'c', question: 'q', answers: { text: ['a'], answer_start: [1] } };
    expect(guess(squad)).toEqual(prompt('question', { input: 'context', response: 'answers' }));
  });

  test('prompts and responses by the usual pairs of names', () => {
    expect(guess({ prompt: 'a', response: 'b' })).toEqual(prompt('prompt', { response: 'response' }));
    expect(guess({ Question: 'a', 'Final Answer': 3 })).toEqual(
      prompt('Question', { response: 'Final Answer' }),
    );
    expect(guess({ instruction: 'a', input: '', output: 'b', answer: 'c', text: 'd' })).toEqual(
      prompt('instruction', { input: 'input', response: 'output' }),
    );
    expect(guess({ system_prompt: 's', question: 'a', response: 'b' })).toEqual(
      prompt('question', { response: 'response', system: 'system_prompt' }),
    );
    expect(guess({ input: 'a', output: 'b' })).toEqual(prompt('input', { response: 'output' }));
    expect(guess({ prompt: 'a', category: 'b' })).toEqual(prompt('prompt'));
  });

  test('multiple choice, with choices in one column or in several', () => {
    expect(guess({ question: 'a', choices: ['x', 'y'], answer: 1 })).toEqual(
      prompt('question', { choices: ['choices'], response: 'answer' }),
    );
    expect(guess({ question: 'a', A: 'x', B: 'y', answer: 'B' })).toEqual(
      prompt('question', { choices: ['A', 'B'], response: 'answer' }),
    );
  });

  test('text, and columns without names', () => {
    expect(guess({ text: 'a', url: 'b' })).toEqual({ kind: 'text', text: 'text' });
    expect(guess({ whatever: 'a' })).toEqual({ kind: 'text', text: 'whatever' });
    expect(guess({ column_1: 'a', column_2: 'b' })).toEqual(prompt('column_1', { response: 'column_2' }));
    const row = (...values: string[]) =>
      Object.fromEntries(values.map((value, index) => [`column_${index + 1}`, value]));
    expect(guess(row('a', 'b', 'c', 'd', 'e', 'D'))).toEqual(
      prompt('column_1', { choices: ['column_2', 'column_3', 'column_4', 'column_5'], response: 'column_6' }),
    );
    expect(guess(row('a', 'yes', 'no', '1'))).toEqual(
      prompt('column_1', { choices: ['column_2', 'column_3'], response: 'column_4' }),
    );
    expect(() => guess(row('a', 'yes', 'no', 'C'))).toThrow('cannot be guessed');
  });

  test('no guess names the columns', () => {
    expect(() => guess({ foo: 'a', bar: 'b' })).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/it has the columns 'foo', 'bar'\. Choose them\.$/),
        inCommands: "for example --columns 'prompt=foo,response=bar'",
      }),
    );
    expect(() => guess({ messages: 5, other: 'a' })).toThrow('cannot be guessed');
  });
});

describe('columns named by the user', () => {
  test('are read from a short text', () => {
    expect(parseColumnMapping('messages=chat')).toEqual({ kind: 'messages', messages: 'chat' });
    expect(parseColumnMapping('text = my story ')).toEqual({ kind: 'text', text: 'my story' });
    expect(parseColumnMapping('prompt=q,response=a,system=s,choices=A+B')).toEqual(
      prompt('q', { response: 'a', system: 's', choices: ['A', 'B'] }),
    );
    for (const wrong of ['', 'prompt', 'prompt=', 'question=a', 'prompt=a,prompt=b']) {
      expect(() => parseColumnMapping(wrong)).toThrow('is not understood');
    }
    expect(() => parseColumnMapping('response=a')).toThrow('need one that');
    expect(() => parseColumnMapping('messages=a,prompt=b')).toThrow('need one that');
  });

  test('have to exist', () => {
    expect(() => requireColumns(dataset({ a: 1 }), { kind: 'text', text: 'b' })).toThrow(
      "has no column 'b'; it has the columns 'a'",
    );
  });
});

test('the sample tasks', async () => {
  for (const task of ['arithmetic', 'tracking', 'records']) {
    const guessed = guessColumns(await readDataset(join(sampleFolder, `tasks/${task}.jsonl`)));
    expect(guessed).toEqual({
      mapping: prompt('prompt', { response: 'response' }),
      reason: "By their names: 'prompt' as the prompt, 'response' as the response.",
    });
  }
});

const data = sharedPath('data');
describe.skipIf(!existsSync(data))(
  `datasets of others (${existsSync(data) ? 'found' : `skipped: no ${data}`})`,
  () => {
    test.each([
      ['gsm8k/train-400.jsonl', 400, prompt('question', { response: 'answer' })],
      ['gsm8k/test-200.jsonl', 200, prompt('question', { response: 'answer' })],
      ['instruction/addsub-200.json', 200, prompt('instruction', { input: 'input', response: 'output' })],
      [
        'mmlu/astronomy_test.csv',
        152,
        prompt('question', { choices: ['choice0', 'choice1', 'choice2', 'choice3'], response: 'answer' }),
      ],
      ['tinystories/tinystories_sample_2MiB.txt', 2317, { kind: 'text', text: 'text' }],
    ])('%s', async (file, rows, mapping) => {
      const read = await readDataset(join(data, file));
      expect(read.rows).toHaveLength(rows);
      expect(read.problems).toEqual([]);
      expect(guessColumns(read).mapping).toEqual(mapping);
    });
  },
);
