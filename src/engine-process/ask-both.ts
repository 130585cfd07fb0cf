/** The same prompt to both models, token by token in turn, so that both answers grow side by side. */
import { stopTokenIds } from '../engine/data/conversation-text.js';
import { encodePrompts } from '../engine/data/encode-examples.js';
import { StreamingDecoder } from '../engine/data/streaming-decoder.js';
import type { ModelTokenizer } from '../engine/data/tokenizer.js';
import { CancelledError } from '../schema/errors.js';
import type { Generator } from '../engine/generate/generator.js';
import type { Answer, Side } from '../shared/compare.js';
import type { CheckedInput, RequestOutput } from '../shared/contract.js';
import type { EngineContext } from './engine-context.js';
import type { ModelPair } from './model-pair.js';

type Asked = CheckedInput<'compare.ask'>;

/** @throws UserError if the prompt cannot be encoded */
export async function askBoth(
  context: EngineContext,
  pair: ModelPair,
  asked: Asked,
  signal: AbortSignal,
): Promise<RequestOutput<'compare.ask'>> {
  const example = { line: 1, messages: [{ role: 'user' as const, content: asked.prompt }] };
  const { prompts } = encodePrompts(pair.tokenizer, [example], { path: 'the prompt' });
  const ids = prompts[0]!.ids;
  const ask = (side: Side) => askOne(context, pair.tokenizer, pair[side], side, ids, asked, signal);
  const [original, slimmed] = await Promise.all([ask('original'), ask('slimmed')]);
  return { original, slimmed, same: original.text.trim() === slimmed.text.trim() };
}

async function askOne(
  context: EngineContext,
  tokenizer: ModelTokenizer,
  generator: Generator,
  side: Side,
  ids: readonly number[],
  asked: Asked,
  signal: AbortSignal,
): Promise<Answer> {
  const decoder = new StreamingDecoder(tokenizer);
  const pieces: string[] = [];
  const before = { ...generator.timing };
  const spent = () => ({
    prompt: generator.timing.promptSeconds - before.promptSeconds,
    answer: generator.timing.newSeconds - before.newSeconds,
  });
  const stopTokens = new Set(stopTokenIds(tokenizer));
  let finishedBy: Answer['finishedBy'] = 'stopped';
  try {
    const [generated] = await generator.generate([ids], {
      maxNewTokens: asked.maxNewTokens,
      stopTokens,
      signal,
      ...(asked.temperature === undefined
        ? {}
        : { sampling: { temperature: asked.temperature, seed: asked.seed } }),
      onToken: (_, token) => {
        pieces.push(decoder.push(token));
        const { prompt, answer } = spent();
        context.emit('compare.token', {
          ticket: asked.ticket,
          side,
          text: pieces.at(-1)!,
          tokens: pieces.length,
          seconds: prompt + answer,
        });
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
    tokens: pieces.length,
    promptTokens: ids.length,
    promptSeconds: prompt,
    seconds: answer,
    // The first token comes out of the prompt's run.
    tokensPerSecond: answer > 0 ? Math.max(0, pieces.length - 1) / answer : 0,
    finishedBy,
  };
}
