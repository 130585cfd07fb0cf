import type { ColumnMapping } from '../../../shared/task.js';

/** A first mapping of a kind, when the user asks for that kind. */
export function firstMapping(kind: ColumnMapping['kind'], columns: readonly string[]): ColumnMapping {
  const [first = '', second] = columns;
  if (kind === 'messages') return { kind, messages: first };
  if (kind === 'text') return { kind, text: first };
  return { kind, prompt: first, ...(second === undefined ? {} : { response: second }) };
}
