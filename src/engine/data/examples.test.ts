import type { ColumnMapping } from '../../schema/columns.js';
import { describe, expect, test } from 'vitest';
import type { RawDataset } from './raw-dataset.js';
import { toExamples } from './examples.js';
import { columnsOf, rowValues } from './raw-values.js';

function convert(
  mapping: ColumnMapping,
  ...values: Record<string, unknown>[]
): ReturnType<typeof toExamples> {
  const rows = values.map((row, index) => ({ line: index + 1, values: rowValues(Object.entries(row)) }));
  const dataset: RawDataset = {
    path: 'rows.jsonl',
    format: 'jsonl',
    columns: columnsOf(rows),
    rows,
    problems: [],
  };
  return toExamples(dataset, mapping);
}

const user = (content: string): object => ({ role: 'user', content });

describe('prompts and responses', () => {
  test('input and system message have their places; numbers are written out', () => {
    const mapping = { kind: 'prompt-response', prompt: 'q', input: 'i', system: 's', response: 'a' } as const;
    const { examples } = convert(
      mapping,
      { q: 'do', i: 'this', s: 'Be brief', a: 5 },
      { q: 'do', i: ' ', s: null, a: true },
    );
    expect(examples).toEqual([
      { line: 1, messages: [{ role: 'system', content: 'Be brief' }, user('do\n\nthis')], response: '5' },
      { line: 2, messages: [user('do')], response: 'true' },
    ]);
  });

  test('conversations as prompts keep their turns, and of several right answers the first is learnt', () => {
    const mapping = { kind: 'prompt-response', prompt: 'q', input: 'i', response: 'a' } as const;
    const before = [user('a'), { role: 'assistant', content: 'b' }];
    const { examples, problems } = convert(
      mapping,
      { q: [...before, user('c')], a: [{ role: 'assistant', content: 'd' }] },
      { q: 'who?', i: 'A passage.', a: { text: ['Ada', 'Ada L.'], answer_start: [1, 1] } },
      { q: before, a: 'x' },
    );
    expect(examples).toEqual([
      { line: 1, messages: [...before, user('c')], response: 'd' },
      { line: 2, messages: [user('who?\n\nA passage.')], response: 'Ada' },
    ]);
    expect(problems).toMatchObject([{ line: 3, kind: 'empty' }]);
  });

  test('choices get letters, and the answer is one of them', () => {
    const mapping = { kind: 'prompt-response', prompt: 'q', choices: ['c'], response: 'a' } as const;
    const row = { q: 'which?', c: ['x', 'y'] };
    const { examples } = convert(
      mapping,
      { ...row, a: 1 },
      { ...row, q: '2', a: 'x' },
      { ...row, q: '3', a: 'B' },
    );
    expect(examples[0]).toEqual({ line: 1, messages: [user('which?\nA. x\nB. y')], response: 'B' });
    expect(examples.slice(1)).toMatchObject([{ response: 'A' }, { response: 'B' }]);
  });

  test('empty, malformed and repeated rows are named', () => {
    const mapping = { kind: 'prompt-response', prompt: 'q', response: 'a' } as const;
    const { examples, problems } = convert(
      mapping,
      { q: 'x', a: 'y' },
      { q: '', a: 'y' },
      { q: 'x' },
      { q: ['x'], a: 'y' },
      { q: 'x', a: 'y' },
    );
    expect(examples).toHaveLength(1);
    expect(problems).toEqual([
      { line: 2, kind: 'empty', message: "'q' is empty" },
      { line: 3, kind: 'empty', message: "'a' is empty" },
      { line: 4, kind: 'malformed', message: "'q' holds a list instead of text" },
      { line: 5, kind: 'duplicate', message: 'says the same as line 1' },
    ]);
  });

  test('nothing left is an error that says why', () => {
    const mapping = { kind: 'prompt-response', prompt: 'q' } as const;
    expect(() => convert(mapping, { q: '' }, { q: '' })).toThrow(
      "No row of rows.jsonl can be used: 2 empty (line 1, 2: 'q' is empty).",
    );
    expect(() => convert({ kind: 'text', text: 'none' }, { q: 'a' })).toThrow("has no column 'none'");
  });
});

describe('conversations', () => {
  const mapping = { kind: 'messages', messages: 'm' } as const;

  test('the last answer is the response', () => {
    const turns = [
      user('a'),
      { from: 'gpt', value: 'b' },
      { role: 'human', content: [{ type: 'text', text: 'c' }] },
    ];
    const answered = [...turns, { role: 'assistant', content: 'd' }];
    const prompt = [user('a'), { role: 'assistant', content: 'b' }, user('c')];
    expect(convert(mapping, { m: answered }, { m: JSON.stringify(turns) }).examples).toEqual([
      { line: 1, messages: prompt, response: 'd' },
      { line: 2, messages: prompt },
    ]);
  });

  test('what is no conversation is named', () => {
    const { problems } = convert(
      mapping,
      { m: [user('a')] },
      { m: null },
      { m: 'words' },
      { m: [{ role: 'wizard', content: 'a' }] },
      { m: [user('a'), { role: 'assistant', content: 7 }] },
      { m: [{ role: 'assistant', content: 'a' }] },
      { m: [user('a'), { role: 'assistant', content: ' ' }] },
    );
    expect(problems.map(({ line, kind, message }) => `${line} ${kind}: ${message}`)).toEqual([
      "2 empty: 'm' is empty",
      "3 malformed: 'm': no list of messages",
      '4 malformed: \'m\': message 1 has the role "wizard", which is not known',
      "5 malformed: 'm': message 2 has no text as its content",
      "6 empty: 'm' has no message of the user's before the answer",
      "7 empty: 'm' ends with an empty answer",
    ]);
  });
});

test('plain texts', () => {
  expect(convert({ kind: 'text', text: 't' }, { t: ' a\n' }, { t: ' ' })).toEqual({
    examples: [{ line: 1, text: ' a\n' }],
    problems: [{ line: 2, kind: 'empty', message: "'t' is empty" }],
  });
});

describe('conversations with calls of tools', () => {
  const mapping = { kind: 'messages', messages: 'm' } as const;
  const called = [{ type: 'function', function: { name: 'time', arguments: { zone: 'UTC' } } }];

  test('keep the calls before an answer, however they are written', () => {
    const openAi = [
      user('When?'),
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ function: { name: 'time', arguments: '{"zone": "UTC"}' } }],
      },
      { role: 'tool', content: 'noon' },
      { role: 'assistant', content: 'At noon.' },
    ];
    const shareGpt = [
      { from: 'human', value: 'When, now?' },
      { from: 'function_call', value: '{"name": "time", "arguments": {"zone": "UTC"}}' },
      { from: 'observation', value: 'noon' },
      { from: 'gpt', value: 'At noon.' },
    ];
    const { examples } = convert(mapping, { m: openAi }, { m: shareGpt });
    const rest = [
      { role: 'assistant', content: '', tool_calls: called },
      { role: 'tool', content: 'noon' },
    ];
    expect(examples).toEqual([
      { line: 1, messages: [user('When?'), ...rest], response: 'At noon.' },
      { line: 2, messages: [user('When, now?'), ...rest], response: 'At noon.' },
    ]);
  });

  test('whose answer is a call are prompts alone', () => {
    const { examples } = convert(mapping, { m: [user('When?'), { role: 'assistant', tool_calls: called }] });
    expect(examples).toEqual([
      { line: 1, messages: [user('When?')], withoutResponse: 'the answer is a call of a tool' },
    ]);
  });
});
