import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { guessColumns } from './columns.js';
import { conversationText, stopTokenIds } from './conversation-text.js';
import { readDataset } from './dataset.js';
import { appendResponse, encodeExamples, encodePrompts } from './encode-examples.js';
import { toExamples } from './examples.js';
import type { Example } from './example.js';
import type { Message } from './messages.js';
import { sampleFolder, sharedPath } from '../../../test/support/shared-folder.js';
import { temporaryFolderWith } from '../../../test/support/temporary-folder.js';
import { loadTokenizer, type ModelTokenizer } from './tokenizer.js';

const reference = sharedPath('sample/reference.json');
const stories = sharedPath('models/stories260K/hf');
const found = (path: string): string => (existsSync(path) ? 'found' : `skipped: no ${path}`);

const user: Message[] = [{ role: 'user', content: 'Hi' }];

/** The sample's tokenizer with another template and further special tokens. */
async function tokenizerWith(
  template: string,
  specialTokens: string[],
  eosToken: string,
): Promise<ModelTokenizer> {
  const tokenizer = JSON.parse(readFileSync(join(sampleFolder, 'tokenizer.json'), 'utf8'));
  for (const [index, content] of specialTokens.entries()) {
    tokenizer.added_tokens.push({ id: 676 + index, content, special: true, normalized: false });
  }
  const config = { bos_token: '<s>', eos_token: eosToken, chat_template: template };
  return loadTokenizer(temporaryFolderWith({ 'tokenizer.json': tokenizer, 'tokenizer_config.json': config }));
}

describe.skipIf(!existsSync(reference))(`rows of the reference (${found(reference)})`, () => {
  test.each(['arithmetic', 'tracking', 'records'])('%s', async (task) => {
    const tokenizer = await loadTokenizer(sampleFolder);
    const dataset = await readDataset(join(sampleFolder, `tasks/${task}.jsonl`));
    const { examples } = toExamples(dataset, guessColumns(dataset).mapping);
    const { rows, problems } = encodeExamples(tokenizer, examples);
    expect([rows.length, problems]).toEqual([600, []]);
    const expected = JSON.parse(readFileSync(reference, 'utf8')).tasks[task].rows;
    expect(rows.slice(0, 32).map((row) => ({ ids: row.ids, response_start: row.responseStart }))).toEqual(
      expected,
    );
    const { prompts } = encodePrompts(tokenizer, examples);
    expect(prompts.map((prompt) => prompt.ids)).toEqual(
      rows.map((row) => row.ids.slice(0, row.responseStart)),
    );
    const again = appendResponse(prompts[0]!, rows[0]!.ids.slice(rows[0]!.responseStart));
    expect(again).toEqual(rows[0]);
  });
});

describe('rows that the model cannot read', () => {
  const ask = (line: number, content: string): Example => ({
    line,
    messages: [{ role: 'user', content }],
    response: 'a',
  });

  test('are left out, counted and named', async () => {
    const tokenizer = await tokenizerWith('{{ messages[0].content }}', ['<image>'], '<|end|>');
    const model = { contextLength: 12, embeddingRows: 676 };
    const examples = [ask(1, 'a b'), ask(2, 'a <image>'), ask(3, 'a b c d e f g h i j k l m')];
    const problems = [
      {
        line: 2,
        kind: 'unknown-token',
        message: "the token '<image>' (676) is beyond the 676 rows of the model's embedding",
      },
      {
        line: 3,
        kind: 'too-long',
        message: expect.stringMatching(/more than the 1[12] that the model can read/),
      },
    ];
    const whole = encodeExamples(tokenizer, examples, { maxTokens: 512, model });
    expect([whole.rows.map(({ line }) => line), whole.problems]).toEqual([[1], problems]);
    const asked = encodePrompts(tokenizer, examples, { maxTokens: 512, model });
    expect([asked.prompts.map(({ line }) => line), asked.problems]).toEqual([[1], problems]);
  });
});

describe('the text that templates make', () => {
  const chatMl =
    "{% for m in messages %}{{'<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
  const qwen3 =
    "{% for m in messages %}{% if m.role == 'assistant' %}{{'<|im_start|>assistant\\n<think>\\n\\n</think>\\n\\n' + m.content + '<|im_end|>\\n'}}{% else %}{{'<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
  const phi3 =
    "{{ bos_token }}{% for m in messages %}{{'<|' + m.role + '|>\\n' + m.content + '<|end|>\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}";
  const llama3 =
    "{{ bos_token }}{% for m in messages %}{{ '<|h|>' + m.role + '<|/h|>\\n\\n' + m.content | trim + '<|eot|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|h|>assistant<|/h|>\\n\\n' }}{% endif %}";
  const thinking =
    "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|><think>\\n' }}{% endif %}";
  const plain =
    "{% for m in messages %}{{ m.role + ': ' + m.content + '\\n' }}{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";

  test.each([
    ['ChatML', chatMl, '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n', ' end <|im_end|>'],
    [
      'Qwen 3',
      qwen3,
      '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n',
      '<think>\n\n</think>\n\n end <|im_end|>',
    ],
    ['Phi 3', phi3, '<s><|user|>\nHi<|end|>\n<|assistant|>\n', ' end <|end|>'],
    ['Llama 3', llama3, '<s><|h|>user<|/h|>\n\nHi<|eot|><|h|>assistant<|/h|>\n\n', 'end<|eot|>'],
    ['a template that opens a thought', thinking, '<|user|>Hi<|assistant|><think>\n', ' end </s>'],
    ['a template without an end of turn', plain, 'user: Hi\nassistant: ', ' end </s>'],
  ])('%s', async (_, template, prompt, response) => {
    const tokenizer = await tokenizerWith(
      template,
      ['<s>', '</s>', '<|im_start|>', '<|im_end|>', '<|eot|>'],
      '</s>',
    );
    expect(conversationText(tokenizer, user, ' end ')).toEqual({ prompt, whole: prompt + response });
    expect(conversationText(tokenizer, user)).toEqual({ prompt });
    const end = /(<[^>]*>)$/.exec(response)![1]!;
    expect(stopTokenIds(tokenizer)).toContain(tokenizer.specialTokens.get(end));
    const { rows } = encodeExamples(tokenizer, [{ line: 1, messages: user, response: ' end ' }]);
    expect(tokenizer.decode(rows[0]!.ids)).toBe(prompt + response);
    expect(rows[0]!.ids.slice(0, rows[0]!.responseStart)).toEqual(tokenizer.encode(prompt));
  });

  test('a template that refuses costs the row, and the job only if none is left', async () => {
    const template =
      "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" +
      chatMl;
    const tokenizer = await tokenizerWith(template, ['<|im_start|>', '<|im_end|>'], '<|im_end|>');
    const refused: Example = {
      line: 2,
      messages: [{ role: 'system', content: 'a' }, ...user],
      response: 'b',
    };
    const { rows, problems } = encodeExamples(tokenizer, [
      { line: 1, messages: user, response: 'a' },
      refused,
    ]);
    expect(rows).toHaveLength(1);
    expect(problems).toEqual([
      { line: 2, kind: 'malformed', message: 'the chat template refuses it: System role not supported' },
    ]);
    expect(() => encodeExamples(tokenizer, [refused])).toThrow(
      '1 malformed (line 2: the chat template refuses it',
    );
    expect(() => encodePrompts(tokenizer, [refused], { path: 'rows.jsonl' })).toThrow('No row of rows.jsonl');
  });
});

describe.skipIf(!existsSync(stories))(`a model without a template (${found(stories)})`, () => {
  let tokenizer: ModelTokenizer;
  beforeAll(async () => {
    tokenizer = await loadTokenizer(stories);
  });

  test('prompt, separator, response and end of text, with the beginning once', () => {
    const { rows } = encodeExamples(tokenizer, [{ line: 1, messages: user, response: 'Once' }], {
      separator: '\n',
    });
    const [row] = rows;
    expect(row!.ids).toEqual([...tokenizer.encode('Hi\nOnce'), tokenizer.eosTokenId]);
    expect(tokenizer.decode(row!.ids.slice(row!.responseStart))).toBe('Once</s>');
    expect(row!.ids.filter((id) => id === tokenizer.bosTokenId)).toHaveLength(1);
  });

  test('where prompt and response merge into one token, that token is the response', () => {
    const { rows } = encodeExamples(
      tokenizer,
      [{ line: 1, messages: [{ role: 'user', content: 'the' }], response: 'y' }],
      { separator: '' },
    );
    const { ids, responseStart } = rows[0]!;
    expect(ids).toEqual([...tokenizer.encode('they'), tokenizer.eosTokenId]);
    expect(responseStart).toBe(1);
  });

  test('a plain text is all response after its first token', () => {
    const text = 'Once upon a time, there was a little car.';
    const { rows } = encodeExamples(tokenizer, [{ line: 3, text }]);
    expect(rows).toEqual([{ line: 3, ids: tokenizer.encode(text), responseStart: 1 }]);
    const { prompts } = encodePrompts(tokenizer, [{ line: 3, text }], { textTokens: 3 });
    expect(prompts).toEqual([{ line: 3, ids: tokenizer.encode(text).slice(0, 4) }]);
  });
});

describe('limits', () => {
  let tokenizer: ModelTokenizer;
  const short: Example = { line: 1, messages: user, response: 'a' };
  const long: Example = { line: 2, messages: user, response: 'one two three four five' };
  const longPrompt: Example = {
    line: 3,
    messages: [{ role: 'user', content: 'one two three four five' }],
    response: 'a',
  };
  beforeAll(async () => {
    tokenizer = await loadTokenizer(sampleFolder);
  });

  test('over-long rows are dropped', () => {
    const { rows, problems } = encodeExamples(tokenizer, [short, long, longPrompt], { maxTokens: 8 });
    expect(rows.map((row) => row.line)).toEqual([1]);
    expect(problems.map(({ line, kind }) => `${line} ${kind}`)).toEqual(['2 too-long', '3 too-long']);
    expect(problems[0]!.message).toMatch(/^\d+ tokens, more than 8$/);
  });

  test('or cut, as long as a response token is left', () => {
    const full = encodeExamples(tokenizer, [long]).rows[0]!;
    const { rows, problems } = encodeExamples(tokenizer, [short, long, longPrompt], {
      maxTokens: 8,
      overlong: 'cut',
    });
    expect(rows.map((row) => row.line)).toEqual([1, 2]);
    expect(rows[1]).toEqual({ ...full, ids: full.ids.slice(0, 8) });
    expect(problems.map(({ line, kind }) => `${line} ${kind}`)).toEqual(['2 cut', '3 too-long']);
    const text = encodeExamples(tokenizer, [{ line: 1, text: 'one two three four five' }], {
      maxTokens: 4,
      overlong: 'cut',
    });
    expect(text.rows).toEqual([
      { line: 1, ids: tokenizer.encode('one two three four five').slice(0, 4), responseStart: 1 },
    ]);
  });

  test('prompts are never cut', () => {
    const { prompts, problems } = encodePrompts(tokenizer, [short, longPrompt], { maxTokens: 8 });
    expect(prompts.map((prompt) => prompt.line)).toEqual([1]);
    expect(problems).toMatchObject([{ line: 3, kind: 'too-long' }]);
  });

  test('what the vocabulary cannot spell is named', async () => {
    const model = {
      type: 'WordPiece',
      vocab: { a: 0, b: 1 },
      unk_token: '[UNK]',
      max_input_chars_per_word: 100,
    };
    const parts = {
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
    };
    const folder = temporaryFolderWith({
      'tokenizer.json': { ...parts, model: { ...model, continuing_subword_prefix: '' } },
    });
    const poor = await loadTokenizer(folder);
    const { rows, problems } = encodeExamples(poor, [
      { line: 1, text: 'ab' },
      { line: 2, text: 'xy' },
    ]);
    expect(rows.map((row) => row.line)).toEqual([1]);
    expect(problems).toMatchObject([{ line: 2, kind: 'malformed' }]);
  });

  test('what has no response, or nothing to predict, is named', () => {
    const examples: Example[] = [short, { line: 4, messages: user }, { line: 5, text: 'a' }];
    const { problems } = encodeExamples(tokenizer, examples);
    expect(problems.map(({ line, kind }) => `${line} ${kind}`)).toEqual(['4 no-response', '5 empty']);
    expect(() => encodeExamples(tokenizer, examples, { maxTokens: 1 })).toThrow('at least 2');
    expect(() => appendResponse({ line: 1, ids: [1] }, [])).toThrow(RangeError);
  });
});
