/** A column mapping in the form that a job's settings take: 'prompt=question,response=answer'. */
import type { ColumnMapping } from './task.js';

type PromptMapping = Extract<ColumnMapping, { kind: 'prompt-response' }>;

/** The engine's mappings hold their choices as a readonly list, those that come through the contract do not. */
type WrittenMapping =
  | Exclude<ColumnMapping, PromptMapping>
  | (Omit<PromptMapping, 'choices'> & { choices?: readonly string[] | undefined });

export function mappingText(mapping: WrittenMapping): string {
  if (mapping.kind === 'messages') return `messages=${quoted(mapping.messages)}`;
  if (mapping.kind === 'text') return `text=${quoted(mapping.text)}`;
  const { prompt, input, choices, response, system } = mapping;
  const parts = { prompt: [prompt], input: [input], choices, response: [response], system: [system] };
  return Object.entries(parts)
    .flatMap(([role, names]) => {
      const known = (names ?? []).filter((name) => name !== undefined);
      return known.length === 0 ? [] : [`${role}=${known.map(quoted).join('+')}`];
    })
    .join(',');
}

/** In quotes where the name would else be taken apart. */
function quoted(name: string): string {
  return /[,+"]|^\s|\s$/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}
