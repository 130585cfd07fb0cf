import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { AutoTokenizer, env } from '@huggingface/transformers';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { StreamingDecoder } from './streaming-decoder.js';
import { sampleFolder, sharedPath } from '../../../test/support/shared-folder.js';
import { temporaryFolderWith } from '../../../test/support/temporary-folder.js';
import { loadTokenizer, type ModelTokenizer } from './tokenizer.js';

const folders = {
  sample: sampleFolder,
  stories260K: sharedPath('models/stories260K/hf'),
  'GPT-2': sharedPath('models/fixtures/ort-genai/tiny-random-gpt2-fp32'),
};

const texts = [
  '',
  ' ',
  'Hello world',
  '  two  spaces , and\ttabs\n\n\nlines\r\n ',
  'Cleo has 14 apples. 58 + 17 = 75. #### 98',
  '<|bos|><|user|>Hi<|assistant|>there<|end|>',
  '<s>a</s> <|endoftext|>b<|endoftext|>',
  'Üñïçødé — “quotes” 日本語のテキスト العربية हिन्दी',
  'e\u0301 vs \u00e9 \u200b\u00a0\ufeff\u2028',
  '👩‍👩‍👧‍👦🇩🇪🙂 a🙂b',
  "don't we'll I'm he'd they've",
  'function f(x) {\n    return x ** 2; // 1e-5\n}',
  '\u0000\u0001\u007f',
  'a'.repeat(300),
  '__proto__ constructor toString',
];

const arbitraryText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc
    .array(
      fc.constantFrom(' ', '  ', '\n', 'the', 'Lily', ' was', '42', '<|end|>', '</s>', "'s", '🙂', '.'),
      { maxLength: 20 },
    )
    .map((parts) => parts.join('')),
);

describe.each(Object.entries(folders))('%s', (name, folder) => {
  describe.skipIf(!existsSync(folder))(`(${existsSync(folder) ? 'found' : `skipped: no ${folder}`})`, () => {
    let tokenizer: ModelTokenizer;
    let reference: Awaited<ReturnType<typeof AutoTokenizer.from_pretrained>>;

    beforeAll(async () => {
      env.allowRemoteModels = false;
      env.allowLocalModels = true;
      env.localModelPath = `${dirname(folder)}/`;
      tokenizer = await loadTokenizer(folder);
      reference = await AutoTokenizer.from_pretrained(folder.slice(dirname(folder).length + 1));
    });

    const same = (text: string): void => {
      for (const addSpecialTokens of [true, false]) {
        const expected = reference.encode(text, { add_special_tokens: addSpecialTokens });
        expect(tokenizer.encode(text, { addSpecialTokens })).toEqual(expected);
        if (expected.length === 0) continue;
        const decoded = { skip_special_tokens: true, clean_up_tokenization_spaces: false };
        expect(tokenizer.decode(expected, { skipSpecialTokens: true })).toBe(
          reference.decode(expected, decoded),
        );
      }
    };

    test.each(texts)('token ids are those of transformers.js: %j', same);

    test('token ids are those of transformers.js on arbitrary text', () => {
      fc.assert(fc.property(arbitraryText, same), { numRuns: 150 });
    });

    test('streamed text is the text decoded at once', () => {
      const ids = fc.oneof(
        arbitraryText.map((text) => tokenizer.encode(text)),
        fc.array(fc.integer({ min: 0, max: Math.min(tokenizer.vocabularySize, 1000) - 1 }), {
          maxLength: 30,
        }),
      );
      fc.assert(
        fc.property(ids, fc.boolean(), (given, skipSpecialTokens) => {
          const decoder = new StreamingDecoder(tokenizer, { skipSpecialTokens });
          const parts = given.map((id) => decoder.push(id));
          expect(parts.join('') + decoder.finish()).toBe(tokenizer.decode(given, { skipSpecialTokens }));
        }),
        { numRuns: 150 },
      );
    });

    test('a character of several tokens appears whole', () => {
      const ids = tokenizer.encode('é🙂.', { addSpecialTokens: false });
      expect(ids.length).toBeGreaterThan(3);
      const decoder = new StreamingDecoder(tokenizer);
      const parts = ids.map((id) => decoder.push(id)).filter((part) => part.trim() !== '');
      expect(parts).toEqual(['é', '🙂', '.']);
    });

    test('vocabulary and special tokens', () => {
      const expected = {
        sample: {
          vocabularySize: 676,
          bosTokenId: 0,
          eosTokenId: 3,
          eosTokenIds: [3],
          padTokenId: 4,
          prefixIds: [],
        },
        stories260K: {
          vocabularySize: 512,
          bosTokenId: 1,
          eosTokenId: 2,
          eosTokenIds: [2],
          padTokenId: 2,
          prefixIds: [1],
        },
        'GPT-2': {
          vocabularySize: 50295,
          eosTokenId: 50256,
          eosTokenIds: [50256, 98],
          padTokenId: 98,
          prefixIds: [],
        },
      }[name]!;
      expect(tokenizer).toMatchObject(expected);
    });
  });
});

describe('the files of a model folder', () => {
  const tokenizer = {
    added_tokens: [
      { id: 2, content: '<s>', special: true },
      { id: 3, content: '</s>', special: true },
      { id: 4, content: '<end>', special: true },
    ],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [] },
  };

  test('tokens as objects, from the map where the configuration lacks them, and all ends of text', async () => {
    const folder = temporaryFolderWith({
      'tokenizer.json': tokenizer,
      'tokenizer_config.json': {
        bos_token: { __type: 'AddedToken', content: '<s>' },
        model_max_length: 1e30,
      },
      'special_tokens_map.json': { eos_token: { content: '</s>' }, bos_token: 'ignored' },
      'generation_config.json': { eos_token_id: [3, 4] },
      'genai_config.json': { model: { pad_token_id: 1 } },
    });
    const loaded = await loadTokenizer(folder);
    expect(loaded).toMatchObject({
      bosToken: '<s>',
      bosTokenId: 2,
      eosToken: '</s>',
      eosTokenIds: [3, 4],
      padTokenId: 1,
    });
    expect(loaded.modelMaxLength).toBeUndefined();
    expect(loaded.chatTemplate).toBeUndefined();
  });

  test('the chat template from each place where it may stand', async () => {
    const source = async (files: Record<string, unknown>): Promise<string | undefined> =>
      (await loadTokenizer(temporaryFolderWith({ 'tokenizer.json': tokenizer, ...files }))).chatTemplate
        ?.source;
    const named = [
      { name: 'tool_use', template: 'tools' },
      { name: 'default', template: 'plain' },
    ];
    expect(await source({})).toBeUndefined();
    expect(await source({ 'tokenizer_config.json': { chat_template: 'one' } })).toBe('one');
    expect(await source({ 'tokenizer_config.json': { chat_template: named } })).toBe('plain');
    expect(await source({ 'chat_template.json': { chat_template: 'two' } })).toBe('two');
    expect(
      await source({ 'chat_template.jinja': 'three', 'chat_template.json': { chat_template: 'two' } }),
    ).toBe('three');
    const several = { 'tokenizer_config.json': { chat_template: { one: 'a', two: 'b' } } };
    await expect(source(several)).rejects.toThrow(
      "several chat templates (one, two), but none is named 'default'",
    );
  });

  test('says what is missing or broken', async () => {
    await expect(loadTokenizer(temporaryFolderWith({}))).rejects.toThrow('has no tokenizer.json');
    const load = async (files: Record<string, unknown>): Promise<unknown> =>
      loadTokenizer(temporaryFolderWith(files));
    await expect(load({ 'tokenizer.json': '{' })).rejects.toThrow('tokenizer.json is not valid JSON');
    await expect(load({ 'tokenizer.json': '[]' })).rejects.toThrow('does not hold a JSON object');
    await expect(load({ 'tokenizer.json': { model: {} } })).rejects.toThrow(
      'tokenizer.json is not understood',
    );
    await expect(
      load({ 'tokenizer.json': tokenizer, 'tokenizer_config.json': { chat_template: 7 } }),
    ).rejects.toThrow("tokenizer_config.json is not as expected at 'chat_template'");
  });
});
