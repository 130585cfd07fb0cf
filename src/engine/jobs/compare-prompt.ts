/** Asks both models one prompt, token by token in turn, so that both answers grow side by side. */
import { CancelledError } from '../../schema/errors.js';
import type { Side } from '../../schema/events.js';
import type { Answer, PromptComparison, Turn } from '../../schema/results.js';
import { stopTokenIds } from '../data/conversation-text.js';
import { encodeConversationPrompt } from '../data/encode-examples.js';
import { withSystem, type Message } from '../data/messages.js';
import { StreamingDecoder } from '../data/streaming-decoder.js';
import type { ModelTokenizer } from '../data/tokenizer.js';
import { isExactMatch } from '../evaluate/answers.js';
import type { Generator } from '../generate/generator.js';
import type { JobContext } from './context.js';
import { withPair, type ComparedModels } from './parts/pairs.js';

/** Tokens of a long prompt that are read before a stop is heeded: less than a second for most models. */
const PROMPT_CHUNK = 256;

export interface PromptRequest {
  models: ComparedModels;
  prompt: string;
  /** Put before the conversation. */
  system?: string;
  /** What was said before: each model goes on from its own answers. */
  turns?: readonly Turn[];
  maxNewTokens: number;
  /** Absent: always the most likely token. */
  temperature?: number;
  seed: number;
}

/**
 * Tokens come as events of type 'token'; an answer that is stopped through the signal ends where it is.
 * @throws UserError if a model cannot be opened or the prompt cannot be encoded
 */
export async function comparePrompt(request: PromptRequest, context: JobContext): Promise<PromptComparison> {
  return await withPair(request.models, context, async (pair, tokenizer) => {
    const ask = (side: Side) => {
      const messages = conversation(request, side);
      // Where there is no chat template, the prompt is asked as it is typed.
      const options = { model: pair[side].reads, separator: '' };
      const ids = encodeConversationPrompt(tokenizer, messages, options);
      return answerOf(pair[side], side, ids, tokenizer, request, context);
    };
    const [original, slimmed] = await Promise.all([ask('original'), ask('slimmed')]);
    return { original, slimmed, same: isExactMatch(slimmed.text, original.text) };
  });
}

/** A conversation as one of the two models has had it. */
function conversation({ prompt, system, turns = [] }: PromptRequest, side: Side): readonly Message[] {
  const messages = turns.flatMap((turn): Message[] => [
    { role: 'user', content: turn.prompt },
    { role: 'assistant', content: turn[side] },
  ]);
  return withSystem([...messages, { role: 'user', content: prompt }], system);
}

async function answerOf(
  generator: Generator,
  side: Side,
  ids: readonly number[],
  tokenizer: ModelTokenizer,
  { maxNewTokens, temperature, seed }: PromptRequest,
  { signal, on }: JobContext,
): Promise<Answer> {
  const decoder = new StreamingDecoder(tokenizer);
  const pieces: string[] = [];
  const before = { ...generator.timing };
  const spent = () => ({
    prompt: generator.timing.promptSeconds - before.promptSeconds,
    answer: generator.timing.newSeconds - before.newSeconds,
  });
  let tokens = 0;
  let finishedBy: Answer['finishedBy'] = 'stopped';
  try {
    const [generated] = await generator.generate([ids], {
      maxNewTokens,
      stopTokens: new Set(stopTokenIds(tokenizer)),
      promptChunk: PROMPT_CHUNK,
      signal,
      sampling: temperature === undefined ? undefined : { temperature, seed },
      onToken: (_, token) => {
        const text = decoder.push(token);
        pieces.push(text);
        tokens += 1;
        on({ type: 'token', side, text, tokens, seconds: spent().answer });
      },
    });
    finishedBy = generated!.finishedBy;
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error;
  }
  const rest = decoder.finish();
  if (rest !== '') pieces.push(rest);
  const { prompt, answer } = spent();
  return {
    text: pieces.join(''),
    pieces,
    tokens,
    promptTokens: ids.length,
    promptSeconds: prompt,
    seconds: answer,
    // The first token comes out of the prompt's run.
    tokensPerSecond: answer > 0 ? Math.max(0, tokens - 1) / answer : 0,
    finishedBy,
  };
}
