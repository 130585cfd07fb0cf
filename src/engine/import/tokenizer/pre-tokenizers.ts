/**
 * The ways in which a text is cut before byte pairs are merged, by the names that GGUF files have for them
 * (tokenizer.ggml.pre). Each is some patterns, one after the other: what a pattern matches is a piece, and what is between.
 */

const CONTRACTIONS = "'s|'t|'re|'ve|'m|'ll|'d";
const ANY_CASE = "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]";
const ENDS = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
const UPPER = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const LOWER = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;

const GPT2 = String.raw`${CONTRACTIONS}| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

/** Words with one sign before them, digits in groups. */
function words(digits: string): string {
  return String.raw`${ANY_CASE}|[^\r\n\p{L}\p{N}]?\p{L}+|${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|${ENDS}`;
}

/** As words, and cut where small letters end and capitals begin. */
function casedWords(digits: string, contractions: string): string {
  return String.raw`[^\r\n\p{L}\p{N}]?${UPPER}*${LOWER}+${contractions}|[^\r\n\p{L}\p{N}]?${UPPER}+${LOWER}*${contractions}|${digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|${ENDS}`;
}

export interface PreTokenizer {
  patterns: readonly string[];
  /** Whether text is brought into Unicode's composed form first. */
  composes?: boolean;
  /** Whether a piece that is a token is taken whole. */
  wholePieces?: boolean;
  /** Whether texts begin with the beginning-of-text token where the file does not say. */
  addsBos?: boolean;
}

const gpt2: PreTokenizer = { patterns: [GPT2] };
const singleDigits: PreTokenizer = { patterns: [String.raw`\p{N}`, GPT2] };
const llama3: PreTokenizer = {
  patterns: [words(String.raw`\p{N}{1,3}`)],
  wholePieces: true,
  addsBos: true,
};

const BY_NAME: ReadonlyMap<string, PreTokenizer> = new Map([
  ['gpt-2', gpt2],
  ['phi-2', gpt2],
  ['olmo', gpt2],
  ['smollm', singleDigits],
  ['starcoder', singleDigits],
  ['refact', singleDigits],
  ['llama-bpe', llama3],
  ['llama3', llama3],
  ['llama-v3', llama3],
  ['lfm2', llama3],
  ['falcon3', llama3],
  ['dbrx', { patterns: [words(String.raw`\p{N}{1,3}`)] }],
  ['smaug-bpe', { patterns: [words(String.raw`\p{N}{1,3}`)] }],
  ['qwen2', { patterns: [words(String.raw`\p{N}`)], composes: true }],
  ['stablelm2', { patterns: [words(String.raw`\p{N}`)] }],
  ['tekken', { patterns: [casedWords(String.raw`\p{N}`, '')], wholePieces: true, addsBos: true }],
  ['gpt-4o', { patterns: [casedWords(String.raw`\p{N}{1,3}`, `(?:${ANY_CASE})?`)] }],
  [
    'default',
    {
      patterns: [String.raw`[\p{P}\$\+<=>\^~\|]+`, GPT2, String.raw`\p{N}+`, '[0-9][0-9][0-9]'],
    },
  ],
]);

export function preTokenizer(name: string): PreTokenizer | undefined {
  return BY_NAME.get(name);
}

export function preTokenizerNames(): string[] {
  return [...BY_NAME.keys()];
}
