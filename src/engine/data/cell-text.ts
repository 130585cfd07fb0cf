/** What a cell of a dataset says, where it is to be a text. */
import { parseMessages } from './messages.js';

/**
 * An answer that is not written as a text: a conversation's last message of the assistant (TRL), the first of several
 * right ones, also under 'text' (SQuAD) or 'value' (TriviaQA).
 */
export function answerText(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const first: unknown = value[0];
    if (typeof first !== 'object' || first === null) return textOf(first);
    const messages = parseMessages(value);
    if (typeof messages === 'string') return undefined;
    return messages.findLast((message) => message.role === 'assistant')?.content;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { text, value: one } = value as { text?: unknown; value?: unknown };
  return textOf(Array.isArray(text) ? text[0] : (text ?? one ?? {}));
}

/** Text of a cell; an absent one is empty. Numbers and truth values are written out, structures are not text. */
export function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
