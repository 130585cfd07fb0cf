/** Tokenizers of GGUF files: SentencePiece's against its algorithm as llama.cpp has it, and names that are not known. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../test/support/temporary-folder.js';
import { loadTokenizer, type ModelTokenizer } from '../../data/tokenizer.js';
import { ggufTokenizer } from './gguf-tokenizer.js';

const SIZES = { vocabulary: 1000, contextLength: 64 };
const WORDS = 'the then there other others in inner thin think bathe breath e é ée 日 日本 1 12 123'.split(
  ' ',
);

/** ggml's kinds of tokens. */
const [NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE] = [1, 2, 3, 4, 6] as const;

/** All that stands side by side in the words, so that what is joined first decides what can be joined then. */
const pieces = [
  ...new Set(
    WORDS.flatMap((word) => [...`▁${word}`].map((_, at, letters) => letters.slice(at))).flatMap((letters) =>
      letters.map((_, at) => letters.slice(0, at + 1).join('')),
    ),
  ),
];
const tokens = [
  '<unk>',
  '<s>',
  '</s>',
  ...Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  ...pieces,
  '<|user|>',
];
const types = tokens.map((token, id) => {
  if (id === 0) return UNKNOWN;
  if (id <= 2) return CONTROL;
  if (id < 259) return BYTE;
  return token === '<|user|>' ? USER_DEFINED : NORMAL;
});
/** No two alike, and not in the order of the ids. */
const scores = tokens.map((_, id) => -((id * 37) % 499));

const metadata = (addsSpace: boolean) =>
  new Map<string, unknown>([
    ['tokenizer.ggml.model', 'llama'],
    ['tokenizer.ggml.tokens', tokens],
    ['tokenizer.ggml.token_type', types],
    ['tokenizer.ggml.scores', scores],
    ['tokenizer.ggml.unknown_token_id', 0],
    ['tokenizer.ggml.bos_token_id', 1],
    ['tokenizer.ggml.add_bos_token', false],
    ['tokenizer.ggml.add_space_prefix', addsSpace],
  ]);

async function imported(addsSpace: boolean): Promise<ModelTokenizer> {
  const folder = temporaryFolder();
  const { tokenizer, config } = ggufTokenizer(metadata(addsSpace), 'model.gguf', SIZES);
  writeFileSync(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizer()));
  writeFileSync(path.join(folder, 'tokenizer_config.json'), JSON.stringify(config));
  return await loadTokenizer(folder);
}

/** Joins, again and again, the two neighbours whose joint token scores best, the first of them where several do. */
function sentencePiece(text: string, addsSpace: boolean): number[] {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const parts = [...`${addsSpace ? '▁' : ''}${text.replaceAll(' ', '▁')}`];
  for (;;) {
    let best: { at: number; score: number } | undefined;
    for (let at = 0; at + 1 < parts.length; at += 1) {
      const id = ids.get(parts[at]! + parts[at + 1]!);
      if (id !== undefined && (!best || scores[id]! > best.score)) best = { at, score: scores[id]! };
    }
    if (!best) break;
    parts.splice(best.at, 2, parts[best.at]! + parts[best.at + 1]!);
  }
  return parts.flatMap((part) => {
    const id = ids.get(part);
    return id === undefined ? Array.from(Buffer.from(part), (byte) => 3 + byte) : [id];
  });
}

function texts(): string[] {
  const parts = [...WORDS, 'th', 'h', 'zebra', '🙂', ' ', '  ', '\n', 'ß', 'nn', 'ééé', '日日本'];
  return Array.from({ length: 400 }, (_, text) =>
    Array.from(
      { length: 1 + (text % 9) },
      (__, at) => parts[(text * 13 + at * at * 7 + at) % parts.length]!,
    ).join(text % 3 === 0 ? '' : ' '),
  );
}

describe("SentencePiece's tokens of a GGUF file", () => {
  it.each([true, false])('are those of its algorithm, with a space put in front: %s', async (addsSpace) => {
    const tokenizer = await imported(addsSpace);
    for (const text of texts())
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(sentencePiece(text, addsSpace));
  });

  it('are taken whole where the file has them so, and become the text again', async () => {
    const tokenizer = await imported(false);
    const user = tokens.indexOf('<|user|>');
    const ids = tokenizer.encode('the<|user|>zebra 🙂');
    expect(ids).toEqual([...sentencePiece('the', false), user, ...sentencePiece('zebra 🙂', false)]);
    for (const text of texts()) expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });
});

describe('what is not understood of a tokenizer', () => {
  const changed = (changes: Record<string, unknown>) =>
    new Map([
      ...metadata(false),
      ...Object.entries(changes).map(([key, value]) => [`tokenizer.ggml.${key}`, value] as const),
    ]);

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['its kind', { model: 'rwkv' }, /of the kind 'rwkv', which is not understood/],
    [
      'how it cuts',
      { model: 'gpt2', merges: ['t h'], pre: 'poro-chat' },
      /tokenizer\.ggml\.pre is 'poro-chat'/,
    ],
    [
      'that it does not say how it cuts',
      { model: 'gpt2', merges: ['t h'] },
      /tokenizer\.ggml\.pre is missing/,
    ],
    ['scores of other tokens', { scores: scores.slice(1) }, /list of scores is not what it should be/],
    ['more tokens than rows', { tokens: Array.from({ length: 1001 }, String) }, /1001 tokens for 1000 rows/],
  ])('is refused in words: %s', (_, changes, message) => {
    expect(() => ggufTokenizer(changed(changes), 'model.gguf', SIZES)).toThrow(message);
  });
});
