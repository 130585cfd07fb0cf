/** A row of a dataset as an example of a task: a conversation up to the prompt and its response, or a plain text. */
import type { Message } from './messages.js';

export interface ConversationExample {
  line: number;
  /** The conversation up to the prompt; the last message is not the assistant's. */
  messages: Message[];
  /** The assistant's answer, if the data has one. */
  response?: string;
  /** Why the data's own answer cannot be learnt from, where it has one. */
  withoutResponse?: string;
}

export interface TextExample {
  line: number;
  text: string;
}

export type Example = ConversationExample | TextExample;

export function isTextExample(example: Example): example is TextExample {
  return 'text' in example;
}
