/** Examples as token ids: rows to train and measure on, and prompts to generate from. */
import { UserError } from '../../schema/errors.js';
import { ConversationRefusedError } from './chat-template.js';
import { conversationText, type PlainTextOptions } from './conversation-text.js';
import { isTextExample, type Example } from './example.js';
import type { Message } from './messages.js';
import type { EncodedPrompt, EncodedRow, ReadableRows } from './encoded-row.js';
import { requireRows, type RowProblem } from './row-problems.js';
import { UnencodableTextError, type ModelTokenizer } from './tokenizer.js';

export interface EncodeOptions extends PlainTextOptions {
  /** Rows with more tokens are cut or dropped. Default: no limit. */
  maxTokens?: number;
  /** 'cut' keeps a row's head as long as a response token is left. Default: 'drop'. */
  overlong?: 'cut' | 'drop';
  /** What the model can read: longer rows are cut or dropped, those with other tokens dropped. Default: anything. */
  model?: ReadableRows;
  /** Where the rows come from, for messages. */
  path?: string;
}

export interface EncodePromptOptions extends PlainTextOptions {
  /** Prompts with more tokens are dropped: a shortened question is another question. Default: no limit. */
  maxTokens?: number;
  /** What the model can read and still answer: other prompts are dropped. Default: anything. */
  model?: ReadableRows;
  /** How many tokens of a plain text serve as its prompt. Default: 16. */
  textTokens?: number;
  path?: string;
}

/**
 * Encodes examples with their responses. The ids are those of the whole text, so that tokens are what the model was
 * trained on also where prompt and response meet; the response starts at the first token that is not the prompt's.
 * Of a plain text all but the first token is the response.
 * @throws UserError if no row is left
 */
export function encodeExamples(
  tokenizer: ModelTokenizer,
  examples: readonly Example[],
  options: EncodeOptions = {},
): { rows: EncodedRow[]; problems: RowProblem[] } {
  requireLimit(options.maxTokens);
  const rows: EncodedRow[] = [];
  const problems: RowProblem[] = [];
  for (const example of examples) {
    const encoded = readableExample(tokenizer, example, options, problems);
    if ('kind' in encoded) problems.push(encoded);
    else rows.push(encoded);
  }
  requireRows(rows, options.path ?? 'the dataset', problems);
  return { rows, problems };
}

/** @param problems where it is noted that a row was cut */
function readableExample(
  tokenizer: ModelTokenizer,
  example: Example,
  options: EncodeOptions,
  problems: RowProblem[],
): EncodedRow | RowProblem {
  const encoded = refusalAsProblem(example, () => encodeExample(tokenizer, example, options));
  const limited = 'kind' in encoded ? encoded : withinLimit(encoded, options, problems);
  return 'kind' in limited ? limited : withKnownTokens(limited, tokenizer, options.model);
}

/** Why a row cannot be used, whole or for its prompt alone; undefined if it can. */
export function refusalOf(
  tokenizer: ModelTokenizer,
  example: Example,
  part: 'whole' | 'prompt',
  options: EncodeOptions = {},
): RowProblem | undefined {
  const encoded =
    part === 'whole'
      ? readableExample(tokenizer, example, options, [])
      : readablePrompt(tokenizer, example, options);
  return 'kind' in encoded ? encoded : undefined;
}

/**
 * Encodes what the model reads before it answers; responses are left aside.
 * @throws UserError if no prompt is left
 */
export function encodePrompts(
  tokenizer: ModelTokenizer,
  examples: readonly Example[],
  options: EncodePromptOptions = {},
): { prompts: EncodedPrompt[]; problems: RowProblem[] } {
  requireLimit(options.maxTokens);
  const prompts: EncodedPrompt[] = [];
  const problems: RowProblem[] = [];
  for (const example of examples) {
    const encoded = readablePrompt(tokenizer, example, options);
    if ('kind' in encoded) problems.push(encoded);
    else prompts.push(encoded);
  }
  requireRows(prompts, options.path ?? 'the dataset', problems);
  return { prompts, problems };
}

/** The ids of one conversation up to the answer. @throws UserError that says why the model cannot read it */
export function encodeConversationPrompt(
  tokenizer: ModelTokenizer,
  messages: readonly Message[],
  options: EncodePromptOptions = {},
): number[] {
  const encoded = readablePrompt(tokenizer, { line: 1, messages: [...messages] }, options);
  if ('kind' in encoded) throw new UserError(`The prompt cannot be used: ${encoded.message}.`);
  return encoded.ids;
}

function readablePrompt(
  tokenizer: ModelTokenizer,
  example: Example,
  options: EncodePromptOptions,
): EncodedPrompt | RowProblem {
  const encoded = refusalAsProblem(example, () => encodePrompt(tokenizer, example, options));
  if ('kind' in encoded) return encoded;
  // Room for one token of an answer.
  const { tokens, words } = limitOf(options, 1);
  if (encoded.ids.length <= tokens) return withKnownTokens(encoded, tokenizer, options.model);
  const message = `the prompt has ${encoded.ids.length} tokens, more than ${words}`;
  return { line: example.line, kind: 'too-long', message };
}

/** A row of a prompt and the ids that were generated after it, its end-of-turn token included if it came. */
export function appendResponse(prompt: EncodedPrompt, responseIds: readonly number[]): EncodedRow {
  if (prompt.ids.length === 0 || responseIds.length === 0) {
    throw new RangeError(
      `Line ${prompt.line}: a row needs a prompt and a response of at least one token each.`,
    );
  }
  return { line: prompt.line, ids: [...prompt.ids, ...responseIds], responseStart: prompt.ids.length };
}

function encodeExample(
  tokenizer: ModelTokenizer,
  example: Example,
  options: EncodeOptions,
): EncodedRow | RowProblem {
  const { line } = example;
  if (isTextExample(example)) {
    const ids = [...tokenizer.prefixIds, ...tokenizer.encode(example.text, { addSpecialTokens: false })];
    if (ids.length > 1) return { line, ids, responseStart: 1 };
    return { line, kind: 'empty', message: 'a text of a single token, with nothing to predict' };
  }
  if (example.response === undefined) {
    const why = example.withoutResponse ?? 'no response';
    return { line, kind: 'no-response', message: `${why}; let the model answer the prompts itself` };
  }
  const { prompt, whole } = conversationText(tokenizer, example.messages, example.response, options);
  const ids = encodeConversation(tokenizer, whole!);
  const shared = commonLength(encodeConversation(tokenizer, prompt), ids);
  if (shared > 0 && shared < ids.length) return { line, ids, responseStart: shared };
  return {
    line,
    kind: 'empty',
    message: shared === 0 ? 'a prompt without a token' : 'a response without a token',
  };
}

function encodePrompt(
  tokenizer: ModelTokenizer,
  example: Example,
  options: EncodePromptOptions,
): EncodedPrompt | RowProblem {
  const { line } = example;
  const ids = isTextExample(example)
    ? headOfText(tokenizer, example.text, options.textTokens ?? 16)
    : encodeConversation(tokenizer, conversationText(tokenizer, example.messages, undefined, options).prompt);
  return ids.length > 0 ? { line, ids } : { line, kind: 'empty', message: 'a prompt without a token' };
}

function headOfText(tokenizer: ModelTokenizer, text: string, count: number): number[] {
  const ids = tokenizer.encode(text, { addSpecialTokens: false });
  return [...tokenizer.prefixIds, ...ids.slice(0, count)];
}

/** A chat template writes the beginning-of-text token itself; without one the tokenizer's own prefix is needed. */
function encodeConversation(tokenizer: ModelTokenizer, text: string): number[] {
  const ids = tokenizer.encode(text, { addSpecialTokens: false });
  return tokenizer.chatTemplate === undefined ? [...tokenizer.prefixIds, ...ids] : ids;
}

function withinLimit(
  row: EncodedRow,
  options: EncodeOptions,
  problems: RowProblem[],
): EncodedRow | RowProblem {
  const { overlong = 'drop' } = options;
  const { line, ids, responseStart } = row;
  const { tokens, words } = limitOf(options);
  if (ids.length <= tokens) return row;
  const length = `${ids.length} tokens, more than ${words}`;
  if (overlong === 'drop') return { line, kind: 'too-long', message: length };
  if (responseStart >= tokens) {
    return {
      line,
      kind: 'too-long',
      message: `${length}, and the prompt's ${responseStart} leave no room for a response`,
    };
  }
  problems.push({ line, kind: 'cut', message: `${length}; the end was cut off` });
  return { line, ids: ids.slice(0, tokens), responseStart };
}

/** The smaller one of what is asked for and what the model can read, and in words. @param room left for other tokens */
function limitOf(
  { maxTokens = Infinity, model }: Pick<EncodeOptions, 'maxTokens' | 'model'>,
  room = 0,
): { tokens: number; words: string } {
  const readable = (model?.contextLength ?? Infinity) - room;
  if (readable >= maxTokens) return { tokens: maxTokens, words: `${maxTokens}` };
  return { tokens: readable, words: `the ${readable} that the model can read` };
}

/** A tokenizer may have more tokens than the embedding has rows: added ones, of another model of the family. */
function withKnownTokens<Row extends EncodedPrompt>(
  row: Row,
  tokenizer: ModelTokenizer,
  model: ReadableRows | undefined,
): Row | RowProblem {
  const id = row.ids.find((token) => token >= (model?.embeddingRows ?? Infinity));
  if (id === undefined) return row;
  const message = `the token '${tokenizer.decode([id])}' (${id}) is beyond the ${model!.embeddingRows} rows of the model's embedding`;
  return { line: row.line, kind: 'unknown-token', message };
}

function refusalAsProblem<Encoded>(example: Example, encode: () => Encoded): Encoded | RowProblem {
  try {
    return encode();
  } catch (error) {
    if (error instanceof UnencodableTextError)
      return { line: example.line, kind: 'malformed', message: error.message };
    if (!(error instanceof ConversationRefusedError)) throw error;
    return {
      line: example.line,
      kind: 'malformed',
      message: `the chat template refuses it: ${error.message}`,
    };
  }
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
}

function requireLimit(maxTokens: number | undefined): void {
  if (maxTokens === undefined || (Number.isInteger(maxTokens) && maxTokens >= 2)) return;
  throw new UserError(`The limit of tokens a row must be a whole number of at least 2, not ${maxTokens}.`);
}
