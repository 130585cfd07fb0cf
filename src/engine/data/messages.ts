/** Conversations as datasets write them, brought to the one form that chat templates expect. */

export interface Message {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
  /** Calls of tools, as chat templates know them; the content is mostly empty then. */
  tool_calls?: readonly ToolCall[];
}

export interface ToolCall {
  type: 'function';
  function: { name: string; arguments: unknown };
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
  ['observation', 'tool'],
  ['tool_response', 'tool'],
  ['ipython', 'tool'],
]);

/** ShareGPT's roles of messages whose text is a call, written as JSON. */
const callingRoles = new Set(['function_call', 'tool_call']);

/**
 * A list of {role, content} or {from, value}, also as JSON text; content is text or a list of {type: 'text', text}, and
 * may be missing beside tool_calls.
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

/** A conversation that begins with what the system says, unless it brings that itself. */
export function withSystem(messages: readonly Message[], system: string | undefined): readonly Message[] {
  const isWanted = system !== undefined && system.trim() !== '';
  if (!isWanted || messages.some(({ role }) => role === 'system')) return messages;
  return [{ role: 'system', content: system }, ...messages];
}

/** A conversation as it is shown: a question alone as it is, otherwise with who says what. */
export function shownConversation(messages: readonly Message[]): string {
  const [only] = messages;
  if (messages.length === 1) return only!.content;
  return messages.map(({ role, content }) => `${role}: ${content}`).join('\n\n');
}

function parseMessage(item: unknown): Message | string {
  if (typeof item !== 'object' || item === null) return 'is not an object with a role and a content';
  const given = own(item, 'role') ?? own(item, 'from');
  const name = typeof given === 'string' ? given.trim().toLowerCase() : '';
  const content = contentText(own(item, 'content') ?? own(item, 'value') ?? own(item, 'text'));
  if (callingRoles.has(name)) {
    const calls = toolCalls(content === undefined ? undefined : parseJson(content));
    return calls
      ? { role: 'assistant', content: '', tool_calls: calls }
      : 'is no call of a tool written as JSON';
  }
  const role = roles.get(name);
  if (role === undefined) return `has the role ${JSON.stringify(given) ?? 'nothing'}, which is not known`;
  const calls = role === 'assistant' ? toolCalls(own(item, 'tool_calls')) : undefined;
  if (calls) return { role, content: content ?? '', tool_calls: calls };
  return content === undefined ? 'has no text as its content' : { role, content };
}

/** One call or several, each {name, arguments} or {function: {name, arguments}}; arguments may be JSON text. */
function toolCalls(value: unknown): ToolCall[] | undefined {
  const list = Array.isArray(value) ? value : [value];
  const calls = list.map((item): ToolCall | undefined => {
    if (typeof item !== 'object' || item === null) return undefined;
    const called = own(item, 'function') ?? item;
    if (typeof called !== 'object') return undefined;
    const name = own(called, 'name');
    if (typeof name !== 'string') return undefined;
    const given = own(called, 'arguments') ?? own(called, 'parameters') ?? {};
    return {
      type: 'function',
      function: { name, arguments: typeof given === 'string' ? (parseJson(given) ?? given) : given },
    };
  });
  return calls.length > 0 && calls.every((call) => call !== undefined) ? calls : undefined;
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
