import type { ColumnMapping } from '../../../schema/columns.js';
/** What the columns of a dataset may mean, as the form of step 2 lets them be chosen. */

export type RowForm = 'prompt-response' | 'multiple-choice' | 'messages' | 'text';
/** Roles that one column has; the choices may be several. */
export type ColumnRole = 'prompt' | 'input' | 'response' | 'system' | 'messages' | 'text';

type PromptMapping = Extract<ColumnMapping, { kind: 'prompt-response' }>;

const CHOICE_NAME = /^(?:(?:choice|option|answer)s?[ _-]*(?:\d+|[a-j])|[a-j])$/i;
const CHOICE_LIST_NAME = /^(?:choices|options)$/i;
const QUESTION_NAME = /question|prompt|query|problem|input/i;
const ANSWER_NAME = /^(?:answer|answer[ _-]?key|label|target|correct.*|solution)$/i;

export function formOf(mapping: ColumnMapping | undefined): RowForm | undefined {
  if (mapping?.kind !== 'prompt-response') return mapping?.kind;
  return mapping.choices === undefined ? 'prompt-response' : 'multiple-choice';
}

export function rolesOf(mapping: ColumnMapping | undefined): ColumnRole[] {
  if (mapping === undefined) return ['prompt', 'response', 'system'];
  if (mapping.kind !== 'prompt-response') return [mapping.kind];
  return ['prompt', ...(mapping.input === undefined ? [] : (['input'] as const)), 'response', 'system'];
}

export function isRequired(role: ColumnRole): boolean {
  return role === 'prompt' || role === 'messages' || role === 'text';
}

export function columnOf(mapping: ColumnMapping | undefined, role: ColumnRole): string {
  return (mapping as Partial<Record<ColumnRole, string>> | undefined)?.[role] ?? '';
}

/** A first mapping of a form, when the user asks for that form: by the columns' names, else by their order. */
export function firstMapping(form: RowForm, columns: readonly string[]): ColumnMapping {
  const [first = '', second] = columns;
  switch (form) {
    case 'messages':
      return { kind: 'messages', messages: first };
    case 'text':
      return { kind: 'text', text: first };
    case 'multiple-choice':
      return multipleChoice(columns);
    case 'prompt-response':
      return { kind: 'prompt-response', prompt: first, response: second };
  }
}

/** Without names that say so: the question first, the answer last, the choices between. */
function multipleChoice(columns: readonly string[]): PromptMapping {
  const prompt = columns.find((name) => QUESTION_NAME.test(name)) ?? columns[0] ?? '';
  const others = columns.filter((name) => name !== prompt);
  const named = others.filter((name) => CHOICE_NAME.test(name));
  const list = others.find((name) => CHOICE_LIST_NAME.test(name));
  const rest = others.filter((name) => !named.includes(name) && name !== list);
  const response = rest.find((name) => ANSWER_NAME.test(name)) ?? rest.at(-1);
  const between = others.filter((name) => name !== response);
  const choices = list !== undefined ? [list] : named.length > 1 ? named : between;
  return { kind: 'prompt-response', prompt, choices, response };
}

/** The column in its new role and in no other; a required role that loses its column takes the one given up. */
export function withRole(mapping: ColumnMapping, role: ColumnRole, column: string): ColumnMapping {
  const changed: Record<string, unknown> = { ...mapping };
  const before = changed[role];
  for (const other of ['prompt', 'input', 'response', 'system']) {
    if (other === role || changed[other] !== column || column === '') continue;
    if (other === 'prompt') changed.prompt = before ?? '';
    else delete changed[other];
  }
  if (mapping.kind === 'prompt-response' && mapping.choices?.includes(column)) {
    const left = mapping.choices.filter((name) => name !== column);
    if (left.length > 0) changed.choices = left;
    else delete changed.choices;
  }
  if (column === '') delete changed[role];
  else changed[role] = column;
  return changed as unknown as ColumnMapping;
}

/** One choice more or fewer, in the order of the file; the last one stays. */
export function withChoice(
  mapping: ColumnMapping,
  column: string,
  isChoice: boolean,
  columns: readonly string[],
): ColumnMapping {
  if (mapping.kind !== 'prompt-response') return mapping;
  const before = mapping.choices ?? [];
  const choices = columns.filter((name) => (name === column ? isChoice : before.includes(name)));
  return choices.length === 0 ? mapping : { ...mapping, choices };
}

/** Columns that can hold a choice: those that are not the question or the answer. */
export function choiceColumns(mapping: ColumnMapping, columns: readonly string[]): string[] {
  if (mapping.kind !== 'prompt-response') return [];
  const { prompt, input, response, system } = mapping;
  return columns.filter((name) => ![prompt, input, response, system].includes(name));
}
