/** What a dataset's columns mean: named by the user or guessed from their names and values. */
import { mappingText, type ColumnMapping } from '../../schema/columns.js';
import { UserError } from '../../schema/errors.js';
import { comparableName, messagesNames, promptNames, systemNames, textNames } from './column-names.js';
import type { RawDataset } from './raw-dataset.js';
import { answerText } from './cell-text.js';
import { parseMessages } from './messages.js';

export interface GuessedColumns {
  mapping: ColumnMapping;
  /** A sentence for the user: which columns were taken, and why. */
  reason: string;
}

const rowsLookedAt = 50;

/**
 * Guesses what the columns mean from their names and from the first rows.
 * @throws UserError that names the columns if no guess is possible
 */
export function guessColumns(dataset: RawDataset): GuessedColumns {
  const mapping =
    guessMessages(dataset) ?? guessPromptResponse(dataset) ?? guessText(dataset) ?? guessUnnamed(dataset);
  if (mapping !== undefined) return { mapping, reason: reasonFor(mapping, dataset) };
  const [prompt = 'question', response = 'answer'] = dataset.columns;
  throw new UserError(
    `Which columns of ${dataset.path} hold the prompts and the answers cannot be guessed; it has ${listed(dataset.columns)}. Choose them.`,
    {
      inCommands: `for example --columns '${mappingText({ kind: 'prompt-response', prompt, response })}'`,
    },
  );
}

/**
 * A mapping written as 'messages=chat', 'text=story' or 'prompt=question,response=answer' (also input, system, and
 * choices with columns joined by '+'). Names may stand in double quotes, and must where they hold a comma.
 * @throws UserError if it is written otherwise
 */
export function parseColumnMapping(written: string): ColumnMapping {
  const parts = new Map<string, string>();
  for (const part of splitOutsideQuotes(written, ',')) {
    const [, role, column] =
      /^\s*(messages|text|prompt|input|choices|response|system)\s*=\s*(.*\S)\s*$/.exec(part) ?? [];
    if (role === undefined || column === undefined || parts.has(role)) {
      throw new UserError(
        `What the columns mean is not understood at '${part.trim()}' of '${written}'; choose them anew.`,
        {
          inCommands:
            "--columns takes 'messages=COLUMN', 'text=COLUMN' or 'prompt=COLUMN,response=COLUMN' (also input=, choices= and system=), a name with a comma in it in double quotes",
        },
      );
    }
    parts.set(role, column);
  }
  const named = (role: string) => {
    const name = parts.get(role);
    return name === undefined ? undefined : unquoted(name);
  };
  const [messages, text, prompt] = [named('messages'), named('text'), named('prompt')];
  if (messages !== undefined && parts.size === 1) return { kind: 'messages', messages };
  if (text !== undefined && parts.size === 1) return { kind: 'text', text };
  if (prompt === undefined || messages !== undefined || text !== undefined) {
    throw new UserError(
      `The columns '${written}' need one that holds conversations, texts or prompts, not several such or none; choose one.`,
      { inCommands: '--columns takes one of messages=, text= and prompt=' },
    );
  }
  const joined = parts.get('choices');
  const choices = joined === undefined ? undefined : splitOutsideQuotes(joined, '+').map(unquoted);
  const [input, response, system] = [named('input'), named('response'), named('system')];
  return { kind: 'prompt-response', prompt, input, choices, response, system };
}

/** Quotes count only where a name begins with one; within them a double quote is written twice. */
function splitOutsideQuotes(text: string, separator: ',' | '+'): string[] {
  const pieces: string[] = [];
  let piece = '';
  let quoted = false;
  for (const character of text) {
    if (character === '"' && (quoted || /(?:^|[=+])\s*$|"$/.test(piece))) quoted = !quoted;
    if (character === separator && !quoted) {
      pieces.push(piece);
      piece = '';
    } else piece += character;
  }
  return [...pieces, piece];
}

function unquoted(name: string): string {
  const trimmed = name.trim();
  return /^".*"$/s.test(trimmed) && trimmed.length > 1 ? trimmed.slice(1, -1).replaceAll('""', '"') : trimmed;
}

/** The columns that a mapping uses, in the order prompt, input, choices, response. */
export function columnsUsed(mapping: ColumnMapping): string[] {
  if (mapping.kind === 'messages') return [mapping.messages];
  if (mapping.kind === 'text') return [mapping.text];
  const { system, prompt, input, choices = [], response } = mapping;
  return [system, prompt, input, ...choices, response].filter((name) => name !== undefined);
}

/** @throws UserError if the dataset lacks a column of the mapping */
export function requireColumns(dataset: RawDataset, mapping: ColumnMapping): void {
  const missing = columnsUsed(mapping).find((name) => !dataset.columns.includes(name));
  if (missing === undefined) return;
  throw new UserError(`${dataset.path} has no column '${missing}'; it has ${listed(dataset.columns)}.`);
}

function guessMessages(dataset: RawDataset): ColumnMapping | undefined {
  const messages = findColumn(dataset, messagesNames, holdsMessages);
  return messages === undefined ? undefined : { kind: 'messages', messages };
}

function guessPromptResponse(dataset: RawDataset): ColumnMapping | undefined {
  const system = findColumn(dataset, systemNames, holdsText);
  let promptOnly: ColumnMapping | undefined;
  for (const names of promptNames) {
    const prompt = findColumn(dataset, [names.prompt], holdsPrompts);
    if (prompt === undefined) continue;
    const choices = findChoices(dataset);
    const response = findColumn(
      dataset,
      [...names.responses, ...(choices ? ['answerkey', 'label'] : [])],
      holdsAnswers,
    );
    const input = findColumn(dataset, names.inputs ?? [], holdsText);
    const mapping: ColumnMapping = { kind: 'prompt-response', prompt, input, choices, response, system };
    if (response !== undefined) return mapping;
    promptOnly ??= mapping;
  }
  // 'document' or 'article' alone is a text, not a prompt.
  return guessText(dataset) === undefined ? promptOnly : undefined;
}

function guessText(dataset: RawDataset): ColumnMapping | undefined {
  const text = findColumn(dataset, textNames, holdsText);
  return text === undefined ? undefined : { kind: 'text', text };
}

/**
 * One column is a text, two are a prompt and a response, and more that end in the letter or the number of one of those
 * between are a question with choices.
 */
function guessUnnamed(dataset: RawDataset): ColumnMapping | undefined {
  const { columns } = dataset;
  const unnamed = columns.every((name, index) => name === `column_${index + 1}`);
  if (!columns.every((name) => holdsText(dataset, name))) return undefined;
  const [first, second] = columns;
  if (columns.length === 1) return { kind: 'text', text: first! };
  if (columns.length === 2 && unnamed) return { kind: 'prompt-response', prompt: first!, response: second };
  const last = columns.at(-1)!;
  const choices = columns.slice(1, -1);
  const answers = new Set(choices.flatMap((_, index) => [String(index), String.fromCodePoint(65 + index)]));
  const isAnswer = (value: unknown): boolean => answers.has(String(value).trim());
  if (choices.length > 1 && choices.length <= 10 && unnamed && valuesOf(dataset, last).every(isAnswer)) {
    return { kind: 'prompt-response', prompt: first!, choices, response: last };
  }
  return undefined;
}

/** 'choices' or 'options' as a list, or numbered and lettered columns: choice0 ..., option_a ..., A to D. */
function findChoices(dataset: RawDataset): string[] | undefined {
  const list = findColumn(dataset, ['choices', 'options'], (data, name) =>
    valuesOf(data, name).every(Array.isArray),
  );
  if (list !== undefined) return [list];
  const pattern = /^(?:(?:choice|option|answer)(?:\d|[a-h])|[a-h])$/;
  const several = dataset.columns.filter(
    (name) => pattern.test(comparableName(name)) && holdsText(dataset, name),
  );
  return several.length > 1 ? several : undefined;
}

function findColumn(
  dataset: RawDataset,
  names: readonly string[],
  fits: (dataset: RawDataset, column: string) => boolean,
): string | undefined {
  for (const name of names) {
    const found = dataset.columns.find((column) => comparableName(column) === name && fits(dataset, column));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first values of a column, absent ones left out. */
function valuesOf(dataset: RawDataset, column: string): unknown[] {
  return dataset.rows
    .slice(0, rowsLookedAt)
    .map((row) => row.values[column])
    .filter((value) => value !== undefined && value !== null);
}

function holdsText(dataset: RawDataset, column: string): boolean {
  const values = valuesOf(dataset, column);
  const textual = values.filter((value) => typeof value === 'string' || typeof value === 'number');
  return values.length > 0 && textual.length > values.length / 2;
}

function holdsPrompts(dataset: RawDataset, column: string): boolean {
  return (
    holdsText(dataset, column) ||
    (valuesOf(dataset, column).every(Array.isArray) && holdsMessages(dataset, column))
  );
}

function holdsAnswers(dataset: RawDataset, column: string): boolean {
  if (holdsText(dataset, column)) return true;
  const values = valuesOf(dataset, column);
  const answers = values.filter((value) => typeof value === 'object' && answerText(value) !== undefined);
  return values.length > 0 && answers.length > values.length / 2;
}

function holdsMessages(dataset: RawDataset, column: string): boolean {
  const values = valuesOf(dataset, column);
  const conversations = values.filter((value) => typeof parseMessages(value) !== 'string');
  return values.length > 0 && conversations.length > values.length / 2;
}

/** A sentence for the user: which columns were taken as they had said. */
export function asTold(mapping: ColumnMapping): string {
  if (mapping.kind === 'messages') return `As told: '${mapping.messages}' holds conversations.`;
  if (mapping.kind === 'text') return `As told: '${mapping.text}' holds the text.`;
  return `As told: ${rolesOf(mapping)}.`;
}

function reasonFor(mapping: ColumnMapping, dataset: RawDataset): string {
  if (mapping.kind === 'messages') return `The column '${mapping.messages}' holds conversations.`;
  if (mapping.kind === 'text') {
    const why = dataset.columns.length === 1 ? 'the only column' : 'by its name';
    return `The column '${mapping.text}' holds the text (${why}).`;
  }
  const why = /^column_\d+$/.test(mapping.prompt) ? 'their order' : 'their names';
  return `By ${why}: ${rolesOf(mapping)}.`;
}

function rolesOf({
  prompt,
  input,
  choices,
  response,
  system,
}: Extract<ColumnMapping, { kind: 'prompt-response' }>): string {
  const parts = [
    `'${prompt}'${input === undefined ? '' : ` with '${input}'`}${choices ? ` and the choices ${choices.join(', ')}` : ''} as the prompt`,
    response === undefined ? 'no responses (the model answers itself)' : `'${response}' as the response`,
    ...(system === undefined ? [] : [`'${system}' as the system message`]),
  ];
  return parts.join(', ');
}

function listed(columns: readonly string[]): string {
  const shown = columns.slice(0, 12).map((name) => `'${name}'`);
  return `the columns ${shown.join(', ')}${columns.length > shown.length ? ' and more' : ''}`;
}
