import { heldoutAnswers, report } from './recorded.js';
import type { SceneOptions } from './scenes.js';
import type { Emit, Handlers } from './handlers.js';

type Names = `compare.${string}`;

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const piecesOf = (text: string) => text.match(/\s*\S+/g) ?? [];

export function compareHandlers(
  { speed }: SceneOptions,
  emit: Emit,
): Pick<Handlers, Extract<keyof Handlers, Names>> {
  const stopped = new Set<string>();

  async function answer(side: 'original' | 'slimmed', text: string, ticket: string, rate: number) {
    const pieces = piecesOf(text);
    const written: string[] = [];
    for (const piece of pieces) {
      if (stopped.has(ticket)) break;
      await pause(speed === 0 ? 0 : 400 / speed);
      written.push(piece);
      emit('compare.token', {
        ticket,
        side,
        text: piece,
        tokens: written.length,
        seconds: written.length / rate,
      });
    }
    return {
      text: written.join(''),
      pieces: written,
      tokens: written.length,
      promptTokens: 31,
      promptSeconds: 0.004,
      seconds: written.length / rate,
      tokensPerSecond: rate,
      finishedBy: stopped.has(ticket) ? ('stopped' as const) : ('stop' as const),
    };
  }

  return {
    'compare.ask': async ({ blocks, ticket, prompt }) => {
      const { rows } = heldoutAnswers(Math.max(1, blocks));
      const row = rows.find((candidate) => candidate.prompt === prompt) ?? rows[0]!;
      const [original, slimmed] = await Promise.all([
        answer('original', row.original, ticket, 383),
        answer('slimmed', row.slimmed, ticket, 383 * (1 + 0.042 * blocks)),
      ]);
      return { original, slimmed, same: original.text === slimmed.text };
    },
    'compare.stop': ({ ticket }) => void stopped.add(ticket),
    'compare.heldout': async ({ blocks, ticket }) => {
      emit('compare.progress', { ticket, what: 'answers', done: 12, total: 128 });
      await pause(speed === 0 ? 0 : 50);
      return heldoutAnswers(Math.max(1, blocks));
    },
    'compare.measure': async ({ blocks, ticket }) => {
      emit('compare.progress', { ticket, what: 'speed', done: 1, total: 6 });
      await pause(speed === 0 ? 0 : 300);
      const part = blocks / report.chosenPoint!;
      const between = (from: number, to: number) => from + part * (to - from);
      const { original: size, slimmed: small } = report.sizes!;
      const { original, slimmed } = report.speed!;
      return {
        sizes: {
          original: size,
          slimmed: {
            modelBytes: Math.round(between(size.modelBytes, small.modelBytes)),
            cacheBytesPerToken: between(size.cacheBytesPerToken!, small.cacheBytesPerToken!),
          },
        },
        speed: {
          original,
          slimmed: {
            ...slimmed,
            promptTokensPerSecond: between(original.promptTokensPerSecond, slimmed.promptTokensPerSecond),
            newTokensPerSecond: between(original.newTokensPerSecond, slimmed.newTokensPerSecond),
            against: {
              prompt: { value: 1 + 0.3 * part, low: 1 + 0.25 * part, high: 1 + 0.36 * part },
              answer: { value: 1 + 0.04 * part, low: 0.97, high: 1 + 0.12 * part },
            },
          },
        },
      };
    },
  };
}
