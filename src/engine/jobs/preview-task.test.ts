import { taskPreview, type TaskPreview } from '../../schema/results.js';
import { mappingText } from '../../schema/columns.js';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { temporaryFile } from '../../../test/support/temporary-folder.js';
import { parseColumnMapping } from '../data/columns.js';
import { RunStore } from '../runs/run-store.js';
import { jobContext } from './context.js';
import { previewTask } from './preview-task.js';

const sample = path.resolve('assets/sample');
const context = jobContext({ store: new RunStore('none'), cache: 'none' });
const arithmetic = path.join(sample, 'tasks/arithmetic.jsonl');

async function preview(dataset: string, options: object = {}): Promise<TaskPreview> {
  const asked = { model: sample, dataset, previewRows: 3, ...options };
  // Through the schema, as it goes to the page.
  return v.parse(taskPreview, await previewTask(asked, context));
}

describe('previewTask', () => {
  test('rows as the model sees them, responses marked', async () => {
    const shown = await preview(arithmetic, { responses: 'file', calibrationRows: 256, heldoutRows: 128 });
    if (shown.state !== 'ready') throw new Error('not ready');
    const [row] = shown.preview;
    expect(row!.pieces.map((piece) => piece.text).join('')).toMatch(
      /^<\|bos\|><\|user\|>.*<\|assistant\|>.*<\|end\|>$/,
    );
    const response = row!.pieces.filter((piece) => piece.part === 'response');
    expect(response.map((piece) => piece.text).join('')).toMatch(/#### \d+<\|end\|>$/);
    expect(row!.pieces.find((piece) => piece.text === '<|user|>')).toMatchObject({
      special: true,
      part: 'prompt',
    });
    expect(shown.split).toMatchObject({ calibration: 256, heldout: 128 });
    expect(shown.lengths.histogram.reduce((sum, bin) => sum + bin.rows, 0)).toBe(384);
  });

  test('with the model’s own answers only prompts are known', async () => {
    const shown = await preview(arithmetic);
    if (shown.state !== 'ready') throw new Error('not ready');
    expect(shown.responses).toBe('own');
    expect(shown.preview.every((row) => row.responseTokens === 0)).toBe(true);
  });

  test('a text file is a prompt a line where that is said', async () => {
    const file = temporaryFile('prompts.txt', 'Say one.\n\nSay two.\nSay three.\n');
    const shown = await preview(file, { textUnit: 'line', columns: 'prompt=text' });
    expect(shown).toMatchObject({ state: 'ready', rows: 3, isText: false, responses: 'own' });
    expect(await preview(file)).toMatchObject({ rows: 2, isText: true });
  });

  test('rows that are too long are passed over for others, and counted', async () => {
    const long = 'Tell me all about it. '.repeat(20);
    const rows = Array.from({ length: 40 }, (_, row) => ({
      prompt: row % 2 ? `Say ${row}.` : `${long}${row}`,
    }));
    const file = temporaryFile('rows.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
    const shown = await preview(file, { calibrationRows: 12, heldoutRows: 4, maxTokens: 32 });
    if (shown.state !== 'ready') throw new Error('not ready');
    expect(shown.split).toMatchObject({ calibration: 12, heldout: 4 });
    const left = shown.problems.find(({ kind }) => kind === 'too-long')!.count;
    expect(shown.split.unused).toBe(40 - 16 - left);
  });

  test('warns of few and of repeated rows', async () => {
    const rows = ['a', 'b', 'c', 'a'].map((prompt) => JSON.stringify({ prompt, response: 'x' }));
    const shown = await preview(temporaryFile('few.jsonl', rows.join('\n')));
    if (shown.state !== 'ready') throw new Error('not ready');
    expect(shown.warnings).toContainEqual({ kind: 'duplicates', count: 1 });
    expect(shown.warnings).toContainEqual({ kind: 'few-rows', count: shown.split.calibration });
  });

  test('asks for columns that cannot be guessed, and shows the rows as they are', async () => {
    const shown = await preview(temporaryFile('odd.csv', 'alpha,beta,gamma\n1,2,3\n4,5,6\n'));
    expect(shown).toMatchObject({
      state: 'columns-needed',
      message: expect.not.stringContaining('='),
      columns: ['alpha', 'beta', 'gamma'],
      samples: [{ alpha: '1', beta: '2', gamma: '3' }, { alpha: '4' }],
    });
  });

  test('takes the columns that the user names', async () => {
    const rows = Array.from({ length: 9 }, (_, index) => `q${index},a${index}`);
    const file = temporaryFile('rows.csv', `question,answer\n${rows.join('\n')}\n`);
    const shown = await preview(file, { columns: 'prompt=answer,response=question', responses: 'file' });
    expect(shown).toMatchObject({
      state: 'ready',
      guessed: false,
      mappingText: 'prompt=answer,response=question',
    });
  });

  test('takes columns whose names hold commas, quotes and plus signs', async () => {
    const rows = Array.from({ length: 9 }, (_, index) =>
      JSON.stringify({ 'What, when, and "where"?': `q${index}`, 'yes + no': `a${index}` }),
    );
    const file = temporaryFile('commas.jsonl', rows.join('\n'));
    const mapping = {
      kind: 'prompt-response',
      prompt: 'What, when, and "where"?',
      response: 'yes + no',
    } as const;
    const columns = mappingText(mapping);
    expect(columns).toBe('prompt="What, when, and ""where""?",response="yes + no"');
    expect(await preview(file, { columns, responses: 'file' })).toMatchObject({
      state: 'ready',
      mapping,
      mappingText: columns,
    });
  });

  test.each([
    { kind: 'text', text: ' a, "b" + c ' },
    { kind: 'messages', messages: '""' },
    { kind: 'prompt-response', prompt: '=', choices: ['a,b', 'c+d', '"e"', 'f'], response: ',' },
  ] as const)('writes mappings that are read as the same: %j', (mapping) => {
    expect(parseColumnMapping(mappingText(mapping))).toEqual(mapping);
  });
});

test.each([
  [
    'all rows have the same prompt',
    '{"prompt":"a","response":"b"}\n'.repeat(9),
    /8 duplicate .*says the same as line 1/,
  ],
  ['there is one row', '{"prompt":"a","response":"b"}\n', /it holds no more/],
])('a dataset is refused with the reason why too few rows are left: %s', async (_, text, reason) => {
  const dataset = temporaryFile('rows.jsonl', text);
  await expect(preview(dataset)).rejects.toThrow(/^Only one row of .* can be used, and it takes two/);
  await expect(preview(dataset)).rejects.toThrow(reason);
});
