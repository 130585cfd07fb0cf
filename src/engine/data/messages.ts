/** Conversations as datasets write them, brought to the one form that chat templates expect. */

export interface Message {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
}

const roles: ReadonlyMap<string, Message['role']> = new Map([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['human', 'user'],
  ['prompter', 'user'],
  ['assistant', 'assistant'],
  ['gpt', 'assistant'],
  ['model', 'assistant'],
  ['bot', 'assistant'],
  ['chatbot', 'assistant'],
  ['tool', 'tool'],
  ['function', 'tool'],
]);

/**
 * A list of {role, content} or {from, value}, also as JSON text; content is text or a list of {type: 'text', text}.
 * Anything else gives a message that says what is wrong.
 */
export function parseMessages(value: unknown): Message[] | string {
  const list = typeof value === 'string' ? parseJson(value) : value;
  if (!Array.isArray(list)) return 'no list of messages';
  const messages: Message[] = [];
  for (const [index, item] of list.entries()) {
    const message = parseMessage(item);
    if (typeof message === 'string') return `message ${index + 1} ${message}`;
    messages.push(message);
  }
  return messages;
}

function parseMessage(item: unknown): Message | string {
  if (typeof item !== 'object' || item === null) return 'is not an object with a role and a content';
  const given = own(item, 'role') ?? own(item, 'from');
  const role = typeof given === 'string' ? roles.get(given.trim().toLowerCase()) : undefined;
  if (role === undefined) return `has the role ${JSON.stringify(given) ?? 'nothing'}, which is not known`;
  const content = contentText(own(item, 'content') ?? own(item, 'value') ?? own(item, 'text'));
  return content === undefined ? 'has no text as its content' : { role, content };
}

function contentText(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  const parts = content.map((part: unknown) => {
    if (typeof part === 'string') return part;
    return typeof part === 'object' && part !== null ? own(part, 'text') : undefined;
  });
  return parts.every((part) => typeof part === 'string') ? parts.join('') : undefined;
}

function own(holder: object, name: string): unknown {
  return Object.hasOwn(holder, name) ? (holder as Record<string, unknown>)[name] : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
