/** A column mapping in the form that a job's settings take: 'prompt=question,response=answer'. */
import type { ColumnMapping } from './task.js';

type PromptMapping = Extract<ColumnMapping, { kind: 'prompt-response' }>;

/** The engine's mappings hold their choices as a readonly list, those that come through the contract do not. */
type WrittenMapping =
  | Exclude<ColumnMapping, PromptMapping>
  | (Omit<PromptMapping, 'choices'> & { choices?: readonly string[] | undefined });

export function mappingText(mapping: WrittenMapping): string {
  if (mapping.kind === 'messages') return `messages=${mapping.messages}`;
  if (mapping.kind === 'text') return `text=${mapping.text}`;
  const { prompt, input, choices, response, system } = mapping;
  const parts = { prompt, input, choices: choices?.join('+'), response, system };
  return Object.entries(parts)
    .flatMap(([role, column]) => (column === undefined ? [] : [`${role}=${column}`]))
    .join(',');
}
