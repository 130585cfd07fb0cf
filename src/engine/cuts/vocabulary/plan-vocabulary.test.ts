/** Which tokens stay, for each kind of tokenizer: text of the kept scripts is cut as before, all other text still works. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  byteLevelTokenizer,
  LINES,
  sentencePieceTokenizer,
  unigramTokenizer,
} from '../../../../test/models/small-tokenizers.js';
import { temporaryFolderWith } from '../../../../test/support/temporary-folder.js';
import { loadTokenizer } from '../../data/tokenizer.js';
import { planVocabulary, renumbered, renumbering, type VocabularyRequest } from './plan-vocabulary.js';
import { renumberTokenizer } from './renumber-tokenizer.js';
import { tokenizerModel, type Json } from './tokenizer-model.js';

const KINDS = {
  'byte pairs over bytes': byteLevelTokenizer(),
  'byte pairs over bytes, of composed text': byteLevelTokenizer({ normalizer: { type: 'NFC' } }),
  'byte pairs over characters': sentencePieceTokenizer(),
  'pieces with scores': unigramTokenizer(),
};
const OF_LATIN = [0, 1, 2, 8].map((index) => LINES[index]!);

async function cut(tokenizer: Json, request: Partial<VocabularyRequest> = {}) {
  const source = temporaryFolderWith({ 'tokenizer.json': tokenizer });
  const model = tokenizerModel(tokenizer, 'tokenizer.json');
  const rows = { embeddingRows: model.tokens.length, vocabularySize: model.tokens.length };
  const plan = await planVocabulary({ source: { folder: source }, decoder: rows, keep: 'latin', ...request });
  const newId = renumbering(plan);
  const target = temporaryFolderWith({ 'tokenizer.json': renumberTokenizer(tokenizer, model, newId) });
  return { plan, newId, model, before: await loadTokenizer(source), after: await loadTokenizer(target) };
}

describe.each(Object.entries(KINDS))('the tokens of Latin, of %s', (_, tokenizer) => {
  it('cut Latin text, code, digits and emoji as all tokens did', async () => {
    const { plan, newId, before, after } = await cut(tokenizer);
    expect(plan.isExact).toBe(true);
    expect(plan.kept.length).toBeLessThan(plan.tokens);
    const words = OF_LATIN.flatMap((line) => line.split(' '));
    const text = fc.array(
      fc.oneof(
        fc.constantFrom(...words, ' ', '\n', '<|eos|>', 'é', 'e\u0301', '😀', '👍🏽'),
        fc.stringMatching(/^[\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]{0,6}$/u),
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(text, (parts) => {
        const whole = parts.join('');
        expect(after.encode(whole)).toEqual(renumbered(before.encode(whole), newId));
      }),
      { numRuns: 150 },
    );
  });

  it('still spell every text', async () => {
    const { after, before } = await cut(tokenizer);
    for (const line of LINES) {
      expect(after.decode(after.encode(line), { skipSpecialTokens: true })).toBe(
        before.decode(before.encode(line), { skipSpecialTokens: true }),
      );
    }
  });

  it('are of no other script, but for letters and those that fill whole rows', async () => {
    const { plan, model } = await cut(tokenizer);
    const others = plan.kept.filter((id) => {
      const spelt = model.spelt(model.tokens[id]!);
      const text = typeof spelt === 'string' ? spelt : Buffer.from([...(spelt ?? [])]).toString('utf8');
      return /..*[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Han}\p{Script=Hangul}]/u.test(text);
    });
    expect(plan.kept.length % 32).toBe(0);
    expect(others.length).toBeLessThan(32);
  });
});

describe('a plan', () => {
  it('finds the scripts of the texts, and says how many texts have each', async () => {
    const { plan } = await cut(KINDS['byte pairs over bytes'], { keep: 'task', texts: LINES.slice(0, 4) });
    expect(plan.scripts).toEqual([
      { name: 'Latin', texts: 3, reason: 'task' },
      { name: 'Cyrillic', texts: 1, reason: 'task' },
    ]);
  });

  it.each([
    ['latin', ['Latin']],
    ['Cyrl, greek', ['Cyrillic', 'Greek']],
    ['german', ['Latin']],
    ['japanese', ['Han', 'Hiragana', 'Katakana']],
    ['ko', ['Hangul', 'Han']],
  ])('takes %s for %j', async (keep, names) => {
    const { plan } = await cut(KINDS['pieces with scores'], { keep });
    expect(plan.scripts.map(({ name }) => name)).toEqual(names);
  });

  it('refuses what is no script and no language, and texts without a letter', async () => {
    await expect(cut(KINDS['pieces with scores'], { keep: 'latin,klingonese' })).rejects.toThrow(
      "'klingonese' is the name of no script and no language that is known",
    );
    await expect(cut(KINDS['pieces with scores'], { keep: 'task', texts: ['1 + 1'] })).rejects.toThrow(
      "No letter was found in the task's texts",
    );
  });

  it('keeps the most frequent tokens that are still made by merging, if there may be few', async () => {
    const { plan, model, after } = await cut(KINDS['byte pairs over bytes'], {
      keep: 'task',
      texts: LINES,
      limit: 300,
    });
    expect(plan).toMatchObject({ isExact: false });
    expect(plan.kept).toHaveLength(288);
    const kept = new Set(plan.kept.map((id) => model.tokens[id]));
    const joined = [...kept].filter((token) => token!.length > 1 && !token!.startsWith('<|'));
    expect(joined.length).toBeGreaterThan(20);
    for (const token of joined) {
      const made = model.merges.filter((merge) => model.joined(merge) === token);
      expect(made.some((merge) => merge.every((part) => kept.has(part)))).toBe(true);
    }
    expect(after.decode(after.encode(LINES[3]!), { skipSpecialTokens: true })).toBe(LINES[3]);
  });

  it.each(Object.entries(KINDS))(
    'keeps the tokens of the texts before others, of %s',
    async (_, tokenizer) => {
      const [text] = LINES;
      const keep = 'latin,cyrillic,greek,japanese,korean,hindi';
      const all = await cut(tokenizer, { keep });
      const limit = all.plan.kept.length - 40;
      const { plan, newId, before, after } = await cut(tokenizer, { keep, texts: [text!], limit });
      expect(plan.isExact).toBe(false);
      expect(after.encode(text!)).toEqual(renumbered(before.encode(text!), newId));
    },
  );

  it('refuses a limit below what must stay', async () => {
    await expect(cut(KINDS['byte pairs over bytes'], { limit: 100 })).rejects.toThrow(
      'The vocabulary cannot have 100 tokens: 259 special tokens and letters must stay; allow more.',
    );
  });

  it('refuses tokenizers of other kinds', async () => {
    const words = { ...byteLevelTokenizer(), model: { type: 'WordLevel', vocab: { a: 0 }, unk_token: 'a' } };
    await expect(cut(words)).rejects.toThrow(
      'is of the kind WordLevel, and only BPE and Unigram are understood.',
    );
  });
});
