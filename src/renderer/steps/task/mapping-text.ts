/** A column mapping in the form that a job's settings take: 'prompt=question,response=answer'. */
import type { ColumnMapping } from '../../../shared/task.js';

export function mappingText(mapping: ColumnMapping): string {
  if (mapping.kind === 'messages') return `messages=${mapping.messages}`;
  if (mapping.kind === 'text') return `text=${mapping.text}`;
  const { prompt, input, choices, response, system } = mapping;
  const parts = { prompt, input, choices: choices?.join('+'), response, system };
  return Object.entries(parts)
    .flatMap(([role, column]) => (column === undefined ? [] : [`${role}=${column}`]))
    .join(',');
}

/** A first mapping of a kind, when the user asks for that kind. */
export function firstMapping(kind: ColumnMapping['kind'], columns: readonly string[]): ColumnMapping {
  const [first = '', second] = columns;
  if (kind === 'messages') return { kind, messages: first };
  if (kind === 'text') return { kind, text: first };
  return { kind, prompt: first, ...(second === undefined ? {} : { response: second }) };
}
