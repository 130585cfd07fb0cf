/** Conversations as the text that a model reads: by its chat template, or plainly for a model without one. */
import type { Message } from './messages.js';
import { UnencodableTextError, type ModelTokenizer } from './tokenizer.js';

export interface ConversationText {
  /** All that the model sees before it answers. */
  prompt: string;
  /**
   * The prompt, the response and what ends it. Usually begins with `prompt`; templates that treat an answer
   * differently once it is known may write something between (Qwen 3: an empty thinking section).
   */
  whole?: string;
}

export interface PlainTextOptions {
  /** Between prompt and response where the model has no chat template. Default: a line break. */
  separator?: string;
}

/** Stands for a response to see what a template writes around it; no dataset contains it. */
const sentinel = 'Hopscotch\u2063response\u2063here';

/**
 * The text of a conversation's prompt and, with a response, of the whole.
 *
 * With a chat template the prompt is the template's text with its generation prompt. The response ends with what
 * the template puts after an assistant's message up to and including the first special token, since generation stops
 * there: '<|end|>' of '<|end|>\n<|endoftext|>', '<|im_end|>' of '<|im_end|>\n'. White space at the very end is no
 * target. Where the template puts nothing, the end-of-text token follows.
 *
 * Without a template: the messages' contents with blank lines between them, the separator, the response and the
 * end-of-text token.
 * @throws ConversationRefusedError if the template refuses the conversation; UnencodableTextError if it holds calls of
 *   tools, and the template knows none
 */
export function conversationText(
  tokenizer: ModelTokenizer,
  messages: readonly Message[],
  response?: string,
  options: PlainTextOptions = {},
): ConversationText {
  const { chatTemplate, eosToken = '' } = tokenizer;
  if (messages.some((message) => message.tool_calls) && !chatTemplate?.source.includes('tool_calls')) {
    throw new UnencodableTextError(
      "it holds calls of tools, for which the model's chat template has no place",
    );
  }
  if (chatTemplate === undefined) {
    const contents = messages.map((message) => message.content).join('\n\n');
    const prompt = contents + (options.separator ?? '\n');
    return response === undefined ? { prompt } : { prompt, whole: prompt + response + eosToken };
  }
  const prompt = chatTemplate.render(messages, { addGenerationPrompt: true });
  if (response === undefined) return { prompt };

  const answered = (content: string): string =>
    chatTemplate.render([...messages, { role: 'assistant', content }]);
  const marked = answered(sentinel);
  const at = marked.lastIndexOf(sentinel);
  // A template that leaves assistants out altogether still has a prompt; the response follows it plainly.
  if (at < 0) return { prompt, whole: prompt + response + eosToken };
  const opening = marked.slice(0, at);
  const closing = marked.slice(at + sentinel.length);
  const whole = answered(response);
  const asIs = whole.startsWith(opening) && whole.endsWith(closing) && whole.length >= at + closing.length;
  // What the template made of the response: many trim it.
  const written = asIs ? whole.slice(at, whole.length - closing.length) : response;
  const before = opening.startsWith(prompt) ? opening : prompt;
  return { prompt, whole: before + written + (closingTarget(tokenizer, closing) || eosToken) };
}

/**
 * Ids that end an answer: the configured ones and the special token that the chat template puts after an answer,
 * which older models' configurations forget.
 */
export function stopTokenIds(tokenizer: ModelTokenizer): number[] {
  const stops = new Set(tokenizer.eosTokenIds);
  try {
    const { whole = '' } = conversationText(tokenizer, [{ role: 'user', content: 'a' }], sentinel);
    const closing = whole.slice(whole.lastIndexOf(sentinel) + sentinel.length);
    for (const [token, id] of tokenizer.specialTokens) if (closing.endsWith(token)) stops.add(id);
  } catch {
    // A template that refuses or fails here is reported where a conversation of the user's is rendered.
  }
  return [...stops];
}

/** The part of a closing text that a model has to predict. */
function closingTarget(tokenizer: ModelTokenizer, closing: string): string {
  let start = closing.length;
  let end = closing.length;
  for (const token of tokenizer.specialTokens.keys()) {
    const found = closing.indexOf(token);
    if (found < 0 || found > start || (found === start && found + token.length <= end)) continue;
    start = found;
    end = found + token.length;
  }
  return closing.slice(0, end).trimEnd();
}
