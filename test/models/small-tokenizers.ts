/** Small tokenizers of each kind, learnt from a few lines of several scripts. */

type Json = Record<string, unknown>;

/** What they are learnt from: Latin, Cyrillic, Greek, Han and kana, Hangul, Devanagari, code, digits, emoji. */
export const LINES = [
  'the cat sat on the mat and the dog ate the date',
  'der Bär hört schöne Lieder über Äpfel',
  'for (let i = 0; i < 10; i += 1) { total += values[i] * 3.14; }',
  'кот сидел на окне и смотрел на кота соседа',
  'η γάτα κάθισε στο χαλί και η γάτα έφυγε',
  '猫が座った。犬も座った。日本語の文です。',
  '고양이가 앉았다 고양이가 갔다',
  'बिल्ली बैठी है और बिल्ली सोती है',
  '1234567890 (42) 3,5 % — “quoted” … 😀😃😀 👍🏽 👍',
];

const SPECIAL = ['<|bos|>', '<|eos|>', '<|pad|>'];

/** The letters that GPT-2 gave the bytes. */
const BYTE_LETTERS = byteLetters();

/** GPT-2's kind: byte pairs over bytes, as in SmolLM2, Llama 3 and Qwen. */
export function byteLevelTokenizer(changes: Json = {}): Json {
  const words = LINES.flatMap((line) => line.match(/ ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+/gu) ?? []);
  const spelt = words.map((word) => Array.from(Buffer.from(word, 'utf8'), (byte) => BYTE_LETTERS[byte]!));
  const { merges, tokens } = learnMerges(spelt);
  return {
    version: '1.0',
    added_tokens: addedTokens(SPECIAL),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<|bos|>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 0 } }],
      special_tokens: { '<|bos|>': { id: '<|bos|>', ids: [0], tokens: ['<|bos|>'] } },
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: byId([...SPECIAL, ...BYTE_LETTERS, ...tokens]),
      merges: merges.map((pair) => pair.join(' ')),
    },
    ...changes,
  };
}

/** SentencePiece's byte pairs over characters, with bytes for what has no token: Llama 2, Gemma. */
export function sentencePieceTokenizer(): Json {
  const spelt = LINES.map((line) => Array.from(line.replaceAll(' ', '▁')));
  const { merges, tokens } = learnMerges(spelt);
  const letters = [...new Set(spelt.flat())].toSorted();
  return {
    version: '1.0',
    added_tokens: addedTokens(SPECIAL),
    normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    pre_tokenizer: null,
    post_processor: null,
    decoder: sentencePieceDecoder(),
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '<unk>',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      vocab: byId([...SPECIAL, '<unk>', ...byteTokens(), ...letters, ...tokens]),
      merges,
    },
  };
}

/** Pieces with scores, of which the best cut of a text is taken. */
export function unigramTokenizer(): Json {
  const counts = new Map<string, number>();
  for (const line of LINES) {
    const characters = Array.from(line.replaceAll(' ', '▁'));
    for (let start = 0; start < characters.length; start += 1) {
      for (let length = 1; length <= 5; length += 1) {
        const piece = characters.slice(start, start + length).join('');
        counts.set(piece, (counts.get(piece) ?? 0) + 1);
      }
    }
  }
  const learnt = [...counts].filter(([piece, count]) => Array.from(piece).length === 1 || count > 1);
  const scored = learnt.map(
    ([piece, count]) => [piece, Math.log(count / 500) - 0.01 * piece.length] as const,
  );
  return {
    version: '1.0',
    added_tokens: addedTokens(SPECIAL),
    normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    pre_tokenizer: null,
    post_processor: null,
    decoder: sentencePieceDecoder(),
    model: {
      type: 'Unigram',
      unk_id: 3,
      byte_fallback: true,
      vocab: [...[...SPECIAL, '<unk>', ...byteTokens()].map((token) => [token, 0] as const), ...scored],
    },
  };
}

/** Joins the most frequent pair again and again. */
function learnMerges(words: readonly (readonly string[])[]): {
  merges: [string, string][];
  tokens: string[];
} {
  const state = words.map((word) => [...word]);
  const merges: [string, string][] = [];
  const tokens = new Set<string>();
  while (merges.length < 220) {
    const counts = new Map<string, number>();
    for (const word of state) {
      for (let index = 0; index + 1 < word.length; index += 1) {
        const pair = JSON.stringify([word[index], word[index + 1]]);
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    }
    const [best] = [...counts].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
    if (!best || best[1] < 2) break;
    const [left, right] = JSON.parse(best[0]) as [string, string];
    merges.push([left, right]);
    tokens.add(left + right);
    for (const word of state) {
      for (let index = 0; index + 1 < word.length; index += 1) {
        if (word[index] === left && word[index + 1] === right) word.splice(index, 2, left + right);
      }
    }
  }
  return { merges, tokens: [...tokens] };
}

function addedTokens(contents: readonly string[]): Json[] {
  return contents.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
}

function sentencePieceDecoder(): Json {
  return {
    type: 'Sequence',
    decoders: [
      { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      { type: 'ByteFallback' },
      { type: 'Fuse' },
    ],
  };
}

function byId(tokens: readonly string[]): Record<string, number> {
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}

function byteTokens(): string[] {
  return Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
}

function byteLetters(): string[] {
  const isVisible = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isVisible(byte) ? byte : next++));
}
