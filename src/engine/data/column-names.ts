/** Names that datasets commonly give their columns, by what the columns hold. */

/** Comparable form: 'Prompt Text' and 'prompt_text' are the same name. */
export function comparableName(name: string): string {
  return name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
}

/** Columns of whole conversations: lists of {role, content} or {from, value}. */
export const messagesNames = [
  'messages',
  'conversations',
  'conversation',
  'dialogue',
  'dialog',
  'chat',
  'turns',
];

/** What a prompt column is called, and what the response beside it is called, both in order of preference. */
export const promptNames: readonly {
  prompt: string;
  responses: readonly string[];
  /** What a second part of the prompt is called. */
  inputs?: readonly string[];
}[] = [
  {
    prompt: 'instruction',
    inputs: ['input', 'context'],
    responses: ['output', 'response', 'completion', 'answer', 'target'],
  },
  {
    prompt: 'prompt',
    responses: ['response', 'completion', 'output', 'answer', 'chosen', 'target', 'reply'],
  },
  {
    prompt: 'question',
    inputs: ['context', 'passage', 'paragraph'],
    responses: ['answer', 'response', 'output', 'completion', 'solution', 'finalanswer', 'answers'],
  },
  { prompt: 'query', responses: ['response', 'answer', 'output', 'completion'] },
  { prompt: 'problem', responses: ['solution', 'answer', 'response'] },
  { prompt: 'user', responses: ['assistant', 'response', 'answer'] },
  { prompt: 'human', responses: ['assistant', 'gpt', 'response'] },
  { prompt: 'input', responses: ['output', 'target', 'response', 'answer', 'completion', 'label'] },
  { prompt: 'article', responses: ['summary', 'highlights'] },
  { prompt: 'document', responses: ['summary'] },
  { prompt: 'dialogue', responses: ['summary'] },
  { prompt: 'source', responses: ['target'] },
];

export const systemNames = ['system', 'systemprompt', 'systemmessage'];

export const textNames = [
  'text',
  'content',
  'document',
  'article',
  'story',
  'body',
  'passage',
  'sentence',
  'code',
];

const known = new Set([
  ...messagesNames,
  ...promptNames.map(({ prompt }) => prompt),
  ...promptNames.flatMap(({ responses }) => responses),
  ...promptNames.flatMap(({ inputs = [] }) => inputs),
  ...systemNames,
  ...textNames,
]);

export function isKnownColumnName(name: string): boolean {
  return known.has(comparableName(name));
}
