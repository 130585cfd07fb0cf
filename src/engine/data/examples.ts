/** Rows of a dataset as examples of a task: a conversation up to the prompt and its response, or a plain text. */
import type { ColumnMapping } from '../../schema/columns.js';
import { columnsUsed, requireColumns } from './columns.js';
import { contentHash } from './content-hash.js';
import type { RawDataset, RawRow } from './raw-dataset.js';
import type { Example } from './example.js';
import { answerText, textOf } from './cell-text.js';
import { parseMessages, type Message } from './messages.js';
import { requireRows, type RowProblem } from './row-problems.js';

/**
 * Examples of all usable rows, in file order; empty, malformed and repeated rows become problems. In a conversation
 * the assistant's last message is the response; what follows it is left out.
 * @throws UserError if a mapped column does not exist or no row can be used
 */
export function toExamples(
  dataset: RawDataset,
  mapping: ColumnMapping,
): { examples: Example[]; problems: RowProblem[] } {
  requireColumns(dataset, mapping);
  const examples: Example[] = [];
  const problems: RowProblem[] = [];
  const seen = new Map<string, number>();
  for (const row of dataset.rows) {
    const example = toExample(row, mapping);
    if ('kind' in example) {
      problems.push(example);
      continue;
    }
    const hash = contentHash(example);
    const earlier = seen.get(hash);
    if (earlier === undefined) {
      seen.set(hash, row.line);
      examples.push(example);
    } else {
      problems.push({ line: row.line, kind: 'duplicate', message: `says the same as line ${earlier}` });
    }
  }
  requireRows(examples, dataset.path, [...dataset.problems, ...problems]);
  return { examples, problems };
}

function toExample(row: RawRow, mapping: ColumnMapping): Example | RowProblem {
  if (mapping.kind === 'messages') return fromMessages(row, mapping.messages);
  const texts = new Map<string, string>();
  for (const column of columnsUsed(mapping)) {
    const value = row.values[column];
    if (mapping.kind === 'prompt-response' && mapping.choices?.includes(column) && Array.isArray(value))
      continue;
    if (mapping.kind === 'prompt-response' && column === mapping.prompt && conversationIn(value)) continue;
    const isResponse = mapping.kind === 'prompt-response' && column === mapping.response;
    const text = textOf(value) ?? (isResponse ? answerText(value) : undefined);
    if (text === undefined) {
      return {
        line: row.line,
        kind: 'malformed',
        message: `'${column}' holds ${describe(value)} instead of text`,
      };
    }
    texts.set(column, text);
  }
  const required = mapping.kind === 'text' ? mapping.text : mapping.prompt;
  const conversation = conversationIn(row.values[required]);
  if ((conversation ? lastText(conversation) : texts.get(required)!).trim() === '') {
    return { line: row.line, kind: 'empty', message: `'${required}' is empty` };
  }
  return mapping.kind === 'text'
    ? { line: row.line, text: texts.get(mapping.text)! }
    : fromColumns(row, mapping, texts, conversation);
}

function fromColumns(
  row: RawRow,
  mapping: Extract<ColumnMapping, { kind: 'prompt-response' }>,
  texts: ReadonlyMap<string, string>,
  conversation: readonly Message[] | undefined,
): Example | RowProblem {
  const read = (column: string | undefined): string => (column === undefined ? '' : texts.get(column)!);
  const choices = mapping.choices === undefined ? [] : choicesOf(row, mapping.choices);
  const asked = conversation ? lastText(conversation) : read(mapping.prompt);
  const question = [asked, read(mapping.input)].filter((part) => part.trim() !== '').join('\n\n');
  const content = [question, ...choices.map((choice, index) => `${letter(index)}. ${choice}`)].join('\n');
  const system = read(mapping.system);
  const messages: Message[] = [
    ...(system.trim() === '' ? [] : [{ role: 'system' as const, content: system }]),
    ...(conversation ?? []).slice(0, -1),
    { role: 'user', content },
  ];
  if (mapping.response === undefined) return { line: row.line, messages };
  const response =
    choices.length > 0 ? letterOfAnswer(read(mapping.response), choices) : read(mapping.response);
  if (response.trim() === '') {
    return { line: row.line, kind: 'empty', message: `'${mapping.response}' is empty` };
  }
  return { line: row.line, messages, response };
}

function fromMessages(row: RawRow, column: string): Example | RowProblem {
  const value = row.values[column];
  const problem = (kind: RowProblem['kind'], message: string): RowProblem => ({
    line: row.line,
    kind,
    message,
  });
  if (value === undefined || value === null || value === '') return problem('empty', `'${column}' is empty`);
  const messages = parseMessages(value);
  if (typeof messages === 'string') return problem('malformed', `'${column}': ${messages}`);
  const answer = messages.findLastIndex((message) => message.role === 'assistant');
  const open = answer < 0 || messages.slice(answer + 1).some((message) => message.role === 'user');
  const prompt = open ? messages : messages.slice(0, answer);
  if (!prompt.some((message) => message.role === 'user' && message.content.trim() !== '')) {
    return problem('empty', `'${column}' has no message of the user's before the answer`);
  }
  if (open) return { line: row.line, messages };
  if (messages[answer]!.tool_calls) {
    return { line: row.line, messages: prompt, withoutResponse: 'the answer is a call of a tool' };
  }
  const response = messages[answer]!.content;
  if (response.trim() === '') return problem('empty', `'${column}' ends with an empty answer`);
  return { line: row.line, messages: prompt, response };
}

/** The messages of a prompt that is a conversation (TRL), as a list and not as text. */
function conversationIn(value: unknown): Message[] | undefined {
  const messages = Array.isArray(value) ? parseMessages(value) : '';
  return typeof messages === 'string' || messages.length === 0 ? undefined : messages;
}

/** What is asked at the end of a prompt that is a conversation; nothing where its end is no question. */
function lastText(conversation: readonly Message[]): string {
  const last = conversation.at(-1);
  return last?.role === 'user' ? last.content : '';
}

function describe(value: unknown): string {
  return Array.isArray(value) ? 'a list' : 'an object';
}

function choicesOf(row: RawRow, columns: readonly string[]): string[] {
  return columns
    .flatMap((column) => row.values[column])
    .map((choice) => textOf(choice) ?? '')
    .filter((choice) => choice.trim() !== '');
}

function letter(index: number): string {
  return String.fromCodePoint('A'.codePointAt(0)! + index);
}

/** The answer to a question with choices as its letter: '2' counts from 0, and a choice's own words are looked up. */
function letterOfAnswer(answer: string, choices: readonly string[]): string {
  const index = choices.includes(answer) ? choices.indexOf(answer) : Number(answer.trim() || Number.NaN);
  return Number.isInteger(index) && index >= 0 && index < choices.length ? letter(index) : answer;
}
